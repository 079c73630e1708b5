//! Texts that hold U+0000, which PostgreSQL refuses and the files of customers may have: it is kept as two other
//! characters, so that what went in comes out. Nothing else is changed.

use std::borrow::Cow;

/// A code point that Unicode reserves from ever being a character, and so met as rarely as U+0000 itself.
const ESCAPE: char = '\u{10ffff}';

/// A text as the server can keep it.
pub(crate) fn encode(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\0' => kept.extend([ESCAPE, '0']),
            ESCAPE => kept.extend([ESCAPE, '1']),
            c => kept.push(c),
        }
    }
    Cow::Owned(kept)
}

/// Whether a kept text may differ from the original; quick, since the escape's first byte is rare.
pub(crate) fn is_encoded(kept: &[u8]) -> bool {
    kept.contains(&0xf4) && kept.windows(4).any(|bytes| bytes == [0xf4, 0x8f, 0xbf, 0xbf])
}

/// The original of a kept text.
pub(crate) fn decode(kept: &str) -> String {
    let mut text = String::with_capacity(kept.len());
    let mut characters = kept.chars();
    while let Some(c) = characters.next() {
        match c {
            ESCAPE => text.push(if characters.next() == Some('0') { '\0' } else { ESCAPE }),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_in_comes_out() {
        for text in ["", "plain", "\0", "a\0b\0", "\u{10ffff}", "\u{10ffff}0\0\u{10ffff}", "\u{10fffe}0"] {
            let kept = encode(text);
            assert!(!kept.contains('\0'), "{text:?}");
            assert_eq!(is_encoded(kept.as_bytes()), kept != text, "{text:?}");
            assert_eq!(if is_encoded(kept.as_bytes()) { decode(&kept) } else { kept.into_owned() }, text);
        }
    }
}
