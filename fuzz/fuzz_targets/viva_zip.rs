//! Files of a whole organization: whatever the bytes, they are read or refused, within limits; and what is read and
//! written again is the same.
#![no_main]

use std::io::{Cursor, Write as _};

use goalpost_viva::{
    Archive, CheckIn, Comment, Element, Entity, Error, Heading, Limits, Objective, Period, Tag, Team, User,
    Writer, survey,
};
use libfuzzer_sys::fuzz_target;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const LIMITS: Limits = Limits {
    packed_bytes: 1 << 20,
    unpacked_bytes: 1 << 22,
    ratio: 100,
    entries: 20,
    text_bytes: 1 << 12,
    elements: 100,
    check_ins: 100,
};

fuzz_target!(|data: &[u8]| {
    read(data.to_vec());
    read(zip_of(data));
});

/// A sound ZIP of these members, each up to a byte 255, which no text holds; those that are missing have no elements.
fn zip_of(members: &[u8]) -> Vec<u8> {
    let mut members = members.split(|byte| *byte == 255);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for entity in Entity::ALL {
        let name = format!("{entity}_export_file_48117_515000_Organization_48117_20251103040506.json");
        zip.start_file(name, SimpleFileOptions::default()).expect("the name is new");
        zip.write_all(members.next().unwrap_or(b"[]")).expect("memory takes all");
    }
    zip.finish().expect("memory takes all").into_inner()
}

fn read(file: Vec<u8>) {
    let Ok(mut archive) = Archive::open(Cursor::new(file), LIMITS) else { return };
    let mut last = 0;
    let surveyed = survey(&mut archive, &mut |bytes| {
        assert!(bytes >= last, "progress goes forward");
        last = bytes;
    });
    let Ok(surveyed) = surveyed else { return };
    let copied = copy(&mut archive).expect("what the survey accepted can be read and written");
    let mut again =
        Archive::open(Cursor::new(copied), Limits::OPERATOR).expect("what was written can be opened");
    let again = survey(&mut again, &mut |_| {}).expect("what was written can be read");
    for entity in Entity::ALL {
        assert_eq!(surveyed.ids(entity), again.ids(entity));
    }
    assert_eq!(surveyed.type_labels, again.type_labels);
}

fn copy(archive: &mut Archive<Cursor<Vec<u8>>>) -> Result<Vec<u8>, Error> {
    let heading = Heading {
        organization_number: archive.organization_number(),
        user_number: archive.user_number(),
        exported_at: archive.exported_at(),
    };
    let mut out = Writer::new(Cursor::new(Vec::new()), heading)?;
    copy_each::<User>(archive, &mut out)?;
    copy_each::<Team>(archive, &mut out)?;
    copy_each::<Period>(archive, &mut out)?;
    copy_each::<Tag>(archive, &mut out)?;
    copy_each::<Objective>(archive, &mut out)?;
    copy_each::<CheckIn>(archive, &mut out)?;
    copy_each::<Comment>(archive, &mut out)?;
    Ok(out.finish()?.into_inner())
}

fn copy_each<T: Element>(
    archive: &mut Archive<Cursor<Vec<u8>>>,
    out: &mut Writer<Cursor<Vec<u8>>>,
) -> Result<(), Error> {
    archive.each(|element: T| out.write(&element))
}
