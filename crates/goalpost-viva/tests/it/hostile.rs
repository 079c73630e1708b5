//! Files made to do harm, or damaged on the way: each is refused with an error that names the cause.

use std::io::Cursor;

use goalpost_viva::{Archive, Entity, Error, Limits, User, sample, survey};

use crate::export::{export_of, name, open, zip_of};

/// Entries for all members, none of which has elements.
fn empty_members() -> Vec<(String, &'static [u8])> {
    Entity::ALL.into_iter().map(|entity| (name(entity), b"[]".as_slice())).collect()
}

fn refusal(bytes: &[u8]) -> Error {
    open(bytes).map(|_| ()).expect_err("the file must be refused")
}

/// Reads the users of a file to the end.
fn read_users(bytes: &[u8]) -> Result<u64, Error> {
    let mut count = 0;
    open(bytes)?.each(|_: User| {
        count += 1;
        Ok::<(), Error>(())
    })?;
    Ok(count)
}

/// Where the records of the directory begin.
fn directory(bytes: &[u8]) -> Vec<usize> {
    bytes.windows(4).enumerate().filter(|(_, four)| four == b"PK\x01\x02").map(|(at, _)| at).collect()
}

/// Overwrites a part of every record of the directory.
fn patch_directory(bytes: &mut [u8], offset: usize, value: &[u8]) {
    for record in directory(bytes) {
        bytes[record + offset..][..value.len()].copy_from_slice(value);
    }
}

#[test]
fn what_is_no_zip_is_refused() {
    for bytes in [b"".as_slice(), b"[]", b"PK\x03\x04 and no more", &[0; 4096]] {
        assert!(matches!(refusal(bytes), Error::Zip(_)));
    }
}

#[test]
fn every_truncation_is_refused() {
    let whole = export_of(&[(Entity::Users, r#"[{"ID": 1}]"#)]);
    for length in 0..whole.len() {
        assert!(open(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
    }
}

#[test]
fn an_entry_that_unpacks_to_far_more_than_it_holds_is_refused_before_unpacking() {
    let blanks = vec![b' '; 40 << 20];
    let mut members = empty_members();
    members.push(("notes.txt".to_owned(), &blanks));
    let error = refusal(&zip_of(members));
    assert!(matches!(&error, Error::Ratio { entry, limit: 100 } if entry == "notes.txt"), "{error}");
}

#[test]
fn the_sizes_of_all_entries_are_added_up() {
    let text: Vec<u8> = (0..900_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut members = empty_members();
    members.push(("big".to_owned(), &text));
    let bytes = zip_of(members);
    let limits = Limits { unpacked_bytes: 3_000_000, ..Limits::UPLOAD };
    let error = Archive::open(Cursor::new(&bytes), limits).map(|_| ()).expect_err("too large unpacked");
    assert!(matches!(error, Error::TooLarge { limit: 3_000_000, .. }), "{error}");
}

#[test]
fn entries_that_share_their_bytes_do_not_get_around_the_ratio() {
    let mut text = vec![b' '; 2 << 20];
    for (number, page) in text.chunks_mut(4096).enumerate() {
        page[..100].copy_from_slice(&std::array::from_fn::<u8, 100, _>(|at| {
            (number * 31 + at * at * 7 + at * number) as u8
        }));
    }
    let mut members = empty_members();
    members.push(("0".to_owned(), &text));
    members.extend((1..60).map(|copy| (copy.to_string(), b"".as_slice())));
    let mut bytes = zip_of(members);
    let records = directory(&bytes);
    let shared = records[Entity::ALL.len()];
    for &record in &records[Entity::ALL.len() + 1..] {
        // Check sum and sizes, then the place of the packed bytes.
        bytes.copy_within(shared + 16..shared + 28, record + 16);
        bytes.copy_within(shared + 42..shared + 46, record + 42);
    }
    let error = refusal(&bytes);
    assert!(matches!(&error, Error::Ratio { entry, .. } if entry == "(all entries)"), "{error}");
}

#[test]
fn a_file_larger_than_its_limit_is_refused() {
    let bytes = export_of(&[]);
    let limits = Limits { packed_bytes: 100, ..Limits::UPLOAD };
    let error = Archive::open(Cursor::new(&bytes), limits).map(|_| ()).expect_err("too large");
    assert_eq!(error.to_string(), format!("bytes in the file: {}, the limit is 100", bytes.len()));
}

#[test]
fn a_directory_that_declares_too_little_is_found_out_while_reading() {
    let json = format!("[{}]", vec![r#"{"ID": 1}"#; 1000].join(","));
    let mut bytes = export_of(&[(Entity::Users, &json)]);
    patch_directory(&mut bytes, 24, &2_u32.to_le_bytes());
    let error = read_users(&bytes).expect_err("more comes out than was declared");
    assert!(matches!(error, Error::Unpack { entity: Entity::Users, .. }), "{error}");
}

#[test]
fn a_directory_that_declares_too_much_is_refused() {
    let mut bytes = export_of(&[]);
    patch_directory(&mut bytes, 24, &0x7fff_ffff_u32.to_le_bytes());
    assert!(matches!(refusal(&bytes), Error::Ratio { .. }));
}

#[test]
fn damage_is_found_by_the_check_sum() {
    let mut bytes = export_of(&[(Entity::Users, r#"[{"ID": 1}]"#)]);
    patch_directory(&mut bytes, 16, &[1, 2, 3, 4]);
    assert!(matches!(read_users(&bytes), Err(Error::Unpack { entity: Entity::Users, .. })));
}

#[test]
fn too_many_entries_are_refused_before_they_are_looked_at() {
    let names = (0..200).map(|number| (format!("{number}.txt"), b"".as_slice()));
    let error = refusal(&zip_of(names));
    assert_eq!(error.to_string(), "entries in the ZIP: 200, the limit is 100");
}

#[test]
fn encrypted_entries_are_refused() {
    let mut bytes = export_of(&[]);
    patch_directory(&mut bytes, 8, &1_u16.to_le_bytes());
    assert!(matches!(refusal(&bytes), Error::Encrypted { .. }));
}

#[test]
fn other_ways_of_packing_are_refused() {
    let mut bytes = export_of(&[]);
    patch_directory(&mut bytes, 10, &93_u16.to_le_bytes());
    let error = refusal(&bytes);
    assert!(matches!(error, Error::Compression { .. }), "{error}");
}

#[test]
fn a_missing_member_is_named() {
    for entity in Entity::ALL {
        let bytes = zip_of(empty_members().into_iter().filter(|(member, _)| *member != name(entity)));
        match open(&bytes) {
            Ok(_) => assert_eq!(entity, Entity::Tags),
            Err(Error::MissingMember { entity: named }) => assert_eq!(named, entity),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn two_members_for_one_entity_are_refused() {
    let mut members = empty_members();
    members.push((format!("copy/{}", name(Entity::Teams)), b"[]"));
    assert!(matches!(refusal(&zip_of(members)), Error::TwoMembers { entity: Entity::Teams, .. }));
}

#[test]
fn members_of_two_organizations_are_refused() {
    let mut members = empty_members();
    members[4].0 = members[4].0.replace("48117", "48118");
    let error = refusal(&zip_of(members));
    assert!(matches!(error, Error::TwoOrganizations { first: 48_117, second: 48_118 }), "{error}");
}

#[test]
fn paths_are_no_paths() {
    let mut members = empty_members();
    for path in ["../../etc/passwd", "/absolute.json", "C:\\boot.ini", "NUL", "line\nbreak\u{1b}[2J"] {
        members.push((path.to_owned(), b"x"));
    }
    members[0].0 = format!("../../{}", members[0].0);
    let archive = zip_of(members);
    let archive = open(&archive).expect("other entries do no harm");
    let ignored = ["../../etc/passwd", "/absolute.json", "C:\\\\boot.ini", "NUL", "line\\nbreak\\u{1b}[2J"];
    assert_eq!(archive.ignored(), ignored);
}

#[test]
fn json_that_is_none_is_refused() {
    for json in [
        r#"[{"ID": 1,}]"#,
        r#"[{"ID": 01}]"#,
        r#"[{"ID": 1} {"ID": 2}]"#,
        r#"[{"ID": 1"#,
        r#"[{"ID": 1, "Name": "Ann}]"#,
        r#"[{"ID": 1]]"#,
        r#"[{"ID": 1, "Name": "\ud800"}]"#,
        r#"[{"ID": 1, "Mood": "\udc00\ud800"}]"#,
        r#"[{"ID": 1, "Mood": {"\ud800": 1}}]"#,
        r#"[{"ID": 1, "Name": "\x41"}]"#,
        "[{\"ID\": 1, \"Name\": \"a\nb\"}]",
        r#"[{"ID": 1, "Last Active": NaN}]"#,
        r#"[{"ID": 1, "ID": 1}]"#,
        r#"[{"ID": 1, "\u0049D": 1}]"#,
        r#"[{"ID": 1, "Manager": {"ID": 2, "ID": 2}}]"#,
        "[1]",
        "null",
        "",
    ] {
        assert!(read_users(&export_of(&[(Entity::Users, json)])).is_err(), "{json}");
    }
}

#[test]
fn bytes_that_are_no_utf_8_are_refused() {
    let mut members = empty_members();
    members[0].1 = b"[{\"ID\": 1, \"Name\": \"\xff\xfe\"}]";
    assert!(matches!(
        read_users(&zip_of(members)),
        Err(Error::NotUtf8 { entity: Entity::Users, element: 1 })
    ));
}

#[test]
fn deep_json_is_refused() {
    let json = format!(r#"[{{"ID": 1, "Mood": {}{}}}]"#, "[".repeat(100_000), "]".repeat(100_000));
    let error = read_users(&export_of(&[(Entity::Users, &json)])).expect_err("too deep");
    assert_eq!(
        error.to_string(),
        "Users element 1 nests more than 16 arrays and objects, which is the limit"
    );
}

#[test]
fn long_texts_are_refused() {
    let long: String = (0..).map(|n: u32| n.to_string()).take(300_000).collect();
    let json = format!(r#"[{{"ID": 1, "Name": "{long}"}}]"#);
    let error = read_users(&export_of(&[(Entity::Users, &json)])).expect_err("too long");
    assert!(matches!(error, Error::TextTooLong { element: 1, limit: 1_048_576, .. }), "{error}");
}

#[test]
fn large_elements_are_refused() {
    let many: Vec<String> = (0..1_000_000).map(|number: u32| number.to_string()).collect();
    let json = format!(r#"[{{"ID": 1, "Mood": [{}]}}]"#, many.join(","));
    let error = read_users(&export_of(&[(Entity::Users, &json)])).expect_err("too large");
    assert!(matches!(error, Error::ElementTooLarge { element: 1, .. }), "{error}");
}

#[test]
fn too_many_elements_are_refused() {
    let json = format!("[{}]", [r#"{"ID": 1}"#; 11].join(","));
    let bytes = export_of(&[(Entity::Users, &json)]);
    let mut archive =
        Archive::open(Cursor::new(&bytes), Limits { elements: 10, ..Limits::UPLOAD }).expect("it opens");
    let error = archive.each(|_: User| Ok::<(), Error>(())).expect_err("one too many");
    assert!(matches!(error, Error::TooManyElements { entity: Entity::Users, limit: 10 }), "{error}");
}

#[test]
fn more_loose_ends_than_an_organization_has_are_refused() {
    let goals: Vec<String> = (0..300_000)
        .map(|id| format!(r#"{{"ID":{id},"Title":"{id}","Owner":[{{"ID":{}}}]}}"#, 1_000_000 + id))
        .collect();
    let bytes = export_of(&[(Entity::Objectives, &format!("[{}]", goals.join(",")))]);
    let problems = survey(&mut open(&bytes).expect("it opens"), &mut |_| {}).expect_err("too many strangers");
    assert!(matches!(problems.listed[..], [Error::TooManyUnresolved { .. }]), "{problems:?}");
}

#[test]
fn ids_that_are_made_up_to_fill_memory_are_refused() {
    let elements: Vec<String> =
        (0..100_000_i64).map(|number| format!(r#"{{"ID":{}}}"#, number << 40)).collect();
    let bytes = export_of(&[(Entity::Tags, &format!("[{}]", elements.join(",")))]);
    let problems = survey(&mut open(&bytes).expect("it opens"), &mut |_| {}).expect_err("too wide");
    assert!(matches!(problems.listed[..], [Error::IdsTooWide { entity: Entity::Tags }]), "{problems:?}");
}

#[test]
fn a_byte_order_mark_is_tolerated() {
    let bytes = export_of(&[(Entity::Users, "\u{feff}[{\"ID\": 1}]")]);
    assert_eq!(read_users(&bytes).expect("readable"), 1);
}

#[test]
fn random_damage_never_panics() {
    let mut out = Cursor::new(Vec::new());
    let options = sample::Options { goals: 5, ..sample::Options::default() };
    sample::write(&mut out, &options, &mut |_| {}).expect("memory takes all");
    let sound = out.into_inner();
    let mut refused = 0;
    for round in 0..500_usize {
        let mut bytes = sound.clone();
        for step in 1..4 {
            let at = (round * 7919 + step * 104_729) % bytes.len();
            bytes[at] ^= 1 << (round % 8);
        }
        let read = open(&bytes).map(|mut archive| survey(&mut archive, &mut |_| {}).is_ok());
        refused += usize::from(!matches!(read, Ok(true)));
    }
    assert!(refused > 400, "{refused} of 500 damaged files were refused");
}
