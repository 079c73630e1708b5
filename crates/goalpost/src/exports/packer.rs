//! Pieces of a file are packed and stored, on a thread of their own.

use std::io::Write as _;
use std::sync::mpsc::{Receiver, SyncSender};

use flate2::write::GzEncoder;

use super::options::Compression;
use super::worker::PIECE;
use crate::store::{self, Writer};

/// Whoever waits for a file would rather have it soon than small.
const LEVEL: flate2::Compression = flate2::Compression::fast();
/// What zstd itself begins with.
const ZSTD_LEVEL: i32 = 3;

/// Packs what is stored, on the thread that stores it.
pub(super) enum Packer {
    None(Writer),
    Gzip(Box<GzEncoder<Vec<u8>>>, Writer),
    Zstd(Box<zstd::Encoder<'static, Vec<u8>>>, Writer),
}

impl Packer {
    pub(super) fn new(writer: Writer, compression: Compression) -> store::Result<Self> {
        let packed = Vec::with_capacity(PIECE);
        Ok(match compression {
            Compression::None => Self::None(writer),
            Compression::Gzip => Self::Gzip(Box::new(GzEncoder::new(packed, LEVEL)), writer),
            Compression::Zstd => {
                let mut encoder = zstd::Encoder::new(packed, ZSTD_LEVEL)?;
                encoder.include_checksum(true)?;
                Self::Zstd(Box::new(encoder), writer)
            }
        })
    }

    fn write(&mut self, piece: &[u8]) -> store::Result<()> {
        let (packed, writer) = match self {
            Self::None(writer) => return writer.write(piece),
            Self::Gzip(encoder, writer) => {
                encoder.write_all(piece)?;
                (encoder.get_mut(), writer)
            }
            Self::Zstd(encoder, writer) => {
                encoder.write_all(piece)?;
                (encoder.get_mut(), writer)
            }
        };
        writer.write(packed)?;
        packed.clear();
        Ok(())
    }

    fn finish(self) -> store::Result<Writer> {
        let (rest, mut writer) = match self {
            Self::None(writer) => return Ok(writer),
            Self::Gzip(encoder, writer) => (encoder.finish()?, writer),
            Self::Zstd(encoder, writer) => (encoder.finish()?, writer),
        };
        writer.write(&rest)?;
        Ok(writer)
    }
}

/// Store pieces until there are no more.
pub(super) fn store(
    mut packer: Packer,
    pieces: &Receiver<Vec<u8>>,
    emptied: &SyncSender<Vec<u8>>,
) -> store::Result<Writer> {
    for mut piece in pieces {
        packer.write(&piece)?;
        piece.clear();
        // A cell of a megabyte must not keep its buffer large for the rest of the file.
        piece.shrink_to(2 * PIECE);
        let _ = emptied.try_send(piece);
    }
    packer.finish()
}
