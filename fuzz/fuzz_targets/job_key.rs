//! Ids of exports: whatever the text, it is an id or none; and an id is written as it was read.
#![no_main]

use goalpost::exports::id::{ExportId, InvalidId};
use libfuzzer_sys::fuzz_target;
use uuid::Uuid;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = str::from_utf8(data) {
        match ExportId::parse(text) {
            Ok(id) => assert_eq!(id.to_string(), text),
            Err(refused) => assert_eq!(refused == InvalidId::Unknown, has_the_form(text)),
        }
    }
    if let Some((job, rest)) = data.split_first_chunk()
        && let Some((organization, _)) = rest.split_first_chunk()
    {
        let id = ExportId { job: Uuid::from_bytes(*job), organization: Uuid::from_bytes(*organization) };
        assert_eq!(ExportId::parse(&id.to_string()), Ok(id));
    }
});

fn has_the_form(text: &str) -> bool {
    let letter = |byte| matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    text.len() == 45 && text.starts_with("j!") && text.bytes().skip(2).all(letter)
}
