//! The name of an export on the wire: `j!` and 43 characters.
//!
//! They are base64url of 32 bytes: the job's GUID and the organization's, each in .NET's byte order (docs/API.md,
//! "Job ids"). So a job is found without asking any other organization.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// An export, named as clients name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExportId {
    /// The job's GUID.
    pub job: Uuid,
    /// The organization's GUID.
    pub organization: Uuid,
}

/// Why a text names no export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidId {
    /// It does not have the form of an id.
    Malformed,
    /// It has the form, but no export can ever have it.
    Unknown,
}

impl ExportId {
    /// Read an id. Ids are compared as texts: one that decodes to the same bytes but differs in the unused bits of its
    /// last character is another id, and no export has it.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let key = text.strip_prefix("j!").ok_or(InvalidId::Malformed)?;
        let in_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if key.len() != 43 || !key.bytes().all(in_alphabet) {
            return Err(InvalidId::Malformed);
        }
        // The decoder refuses stray bits in the last character: well-formed, but nobody's.
        let bytes = URL_SAFE_NO_PAD.decode(key).map_err(|_| InvalidId::Unknown)?;
        let (job, organization) = bytes.split_first_chunk::<16>().ok_or(InvalidId::Unknown)?;
        let organization = organization.try_into().map_err(|_| InvalidId::Unknown)?;
        Ok(Self { job: Uuid::from_bytes_le(*job), organization: Uuid::from_bytes_le(organization) })
    }
}

impl fmt::Display for ExportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.job.to_bytes_le(), self.organization.to_bytes_le()].concat();
        write!(f, "j!{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_ids_decode_to_their_organization() {
        for (text, job) in [
            ("j!uJJZyGd87hGFgvZV8bl-GlCBmj39kL1Cl3clung9SgU", "c85992b8-7c67-11ee-8582-f655f1b97e1a"),
            ("j!kmZP9dp57hGB_7KuYfi6DlCBmj39kL1Cl3clung9SgU", "f54f6692-79da-11ee-81ff-b2ae61f8ba0e"),
        ] {
            let id = ExportId::parse(text).unwrap();
            assert_eq!(id.job.to_string(), job);
            assert_eq!(id.organization.to_string(), "3d9a8150-90fd-42bd-9777-25ba783d4a05");
            assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn a_wrong_form_is_malformed_and_stray_bits_are_unknown() {
        for text in [
            "",
            "j!",
            "uJJZyGd87hGFgvZV8bl-GlCBmj39kL1Cl3clung9SgU",
            "j!uJJZyGd87hGFgvZV8bl-GlCBmj39kL1Cl3cl",
            "j!uJJZyGd87hGFgvZV8bl+GlCBmj39kL1Cl3clung9SgU",
            "j!uJJZyGd87hGFgvZV8bl-GlCBmj39kL1Cl3clung9SgU=",
        ] {
            assert_eq!(ExportId::parse(text), Err(InvalidId::Malformed), "{text}");
        }
        assert_eq!(ExportId::parse("j!eyJfdHlwZSI6Ikdyb3VwIiwiaWQiOiI4MzIxMjc1In1"), Err(InvalidId::Unknown));
    }
}
