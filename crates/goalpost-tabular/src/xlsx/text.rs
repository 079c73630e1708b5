//! Texts in the XML of a workbook.

/// UTF-16 units that a cell holds.
const UNITS: usize = 32_767;
/// What a cut text ends with.
const CUT: &str = "…";

pub(super) fn escaped(text: &str) -> String {
    let mut out = Vec::new();
    write_escaped(&mut out, text);
    String::from_utf8(out).unwrap_or_default()
}

/// The rest of a cell with a text, behind its place and style; whether the text was cut.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) -> bool {
    out.extend_from_slice(b" t=\"inlineStr\"><is><t xml:space=\"preserve\">");
    let kept = kept(text);
    write_escaped(out, kept);
    let is_cut = kept.len() < text.len();
    if is_cut {
        out.extend_from_slice(CUT.as_bytes());
    }
    out.extend_from_slice(b"</t></is></c>");
    is_cut
}

/// As much of a text as a cell holds.
fn kept(text: &str) -> &str {
    // No text has more UTF-16 units than bytes.
    if text.len() <= UNITS || text.chars().map(char::len_utf16).sum::<usize>() <= UNITS {
        return text;
    }
    let mut units = 0;
    let end = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units >= UNITS
    });
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

/// A text as XML. What XML cannot hold is written `_x001F_`, and so is an underscore that would begin such a thing
/// (ECMA-376 part 1, 22.9.2.19).
fn write_escaped(out: &mut Vec<u8>, text: &str) {
    let mut from = 0;
    let bytes = text.as_bytes();
    for (at, c) in text.char_indices() {
        let escape = match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            '_' if is_escape(&bytes[at..]) => "_x005F_".to_owned(),
            '\t' | '\n' => continue,
            // In a cell a line ends with a line feed alone.
            '\r' if bytes.get(at + 1) == Some(&b'\n') => String::new(),
            '\r' => "\n".to_owned(),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => format!("_x{:04X}_", c as u32),
            _ => continue,
        };
        out.extend_from_slice(&bytes[from..at]);
        out.extend_from_slice(escape.as_bytes());
        from = at + c.len_utf8();
    }
    out.extend_from_slice(&bytes[from..]);
}

fn is_escape(bytes: &[u8]) -> bool {
    matches!(bytes, [b'_', b'x', a, b, c, d, b'_', ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_escaped() {
        for (text, xml) in [
            ("a<b>&\"c\"", "a&lt;b&gt;&amp;&quot;c&quot;"),
            ("a\u{1}b", "a_x0001_b"),
            ("one\r\ntwo\rthree\n", "one\ntwo\nthree\n"),
            ("_x0041_ _x41_", "_x005F_x0041_ _x41_"),
            ("tab\tline\n", "tab\tline\n"),
        ] {
            assert_eq!(escaped(text), xml);
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_between_characters() {
        let long = "ä".repeat(UNITS + 1);
        assert_eq!(kept(&long).chars().count(), UNITS - 1);
        let faces = "🙂".repeat(UNITS);
        assert_eq!(kept(&faces).chars().count(), (UNITS - 1) / 2);
        let fits = "ä".repeat(UNITS);
        assert_eq!(kept(&fits), fits);
    }
}
