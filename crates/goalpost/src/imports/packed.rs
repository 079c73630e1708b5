//! Files that were packed as a whole, as exports of tables may be: `.csv.gz`, `.jsonl.zst`.

use std::fs::File;
use std::io::{BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use goalpost_viva::sheet::SheetLimits;

use super::ImportError;
use super::spool::file_in;

/// Unpacked files up to this size are harmless whatever they weigh packed.
const HARMLESS: u64 = 64 << 20;
/// The window that zstd may ask for, as a power of two: 64 MiB. Exports ask for 2 MiB.
const WINDOW: u32 = 26;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    /// By the first bytes of a file.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(&[0x1f, 0x8b]) {
            Some(Self::Gzip)
        } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Some(Self::Zstd)
        } else {
            None
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Unpack a file into one of the data folder that is gone when it is closed. It may become as large as a table may be, and
/// what the entries of a workbook may come to.
pub(super) fn unpack(
    file: &File,
    packing: Packing,
    path: &Path,
    data_folder: &Path,
    limits: SheetLimits,
) -> Result<File, ImportError> {
    let io = |path: &Path, source| ImportError::Io { path: path.to_owned(), source };
    let damaged = |source: std::io::Error| ImportError::Packed {
        path: path.to_owned(),
        packing: packing.word(),
        what: source.to_string(),
    };
    let mut input = file;
    let packed = input.seek(SeekFrom::End(0)).map_err(|source| io(path, source))?;
    let table = |what, limit| ImportError::Table {
        path: path.to_owned(),
        source: goalpost_viva::sheet::SheetError::TooLarge { what, limit, row: 0 },
    };
    if packed > limits.bytes {
        return Err(table("bytes in the file", limits.bytes));
    }
    input.seek(SeekFrom::Start(0)).map_err(|source| io(path, source))?;
    let input = BufReader::with_capacity(64 << 10, input);
    let mut unpacking: Box<dyn Read + '_> = match packing {
        Packing::Gzip => Box::new(MultiGzDecoder::new(input)),
        Packing::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(input).map_err(damaged)?;
            decoder.window_log_max(WINDOW).map_err(damaged)?;
            Box::new(decoder)
        }
    };
    let most = packed.saturating_mul(limits.ratio).max(HARMLESS).min(limits.unpacked_bytes);
    let mut unpacked = file_in(data_folder, "unpacked").map_err(|source| io(data_folder, source))?;
    let (mut buffer, mut size) = (vec![0; 256 << 10], 0);
    loop {
        let read = match unpacking.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(damaged(error)),
        };
        size += read as u64;
        if size > most {
            return Err(table("bytes that the file unpacks to", most));
        }
        unpacked.write_all(&buffer[..read]).map_err(|source| io(data_folder, source))?;
    }
    unpacked.seek(SeekFrom::Start(0)).map_err(|source| io(data_folder, source))?;
    Ok(unpacked)
}
