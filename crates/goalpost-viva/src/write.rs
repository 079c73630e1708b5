//! Writing the ZIP, member after member.

use std::io::{BufWriter, Seek, Write};

use jiff::civil::DateTime;
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::elements::Aside;
use crate::error::Error;
use crate::member::{Entity, MemberName};
use crate::read::Element;

/// What the names of the members say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heading {
    /// The organization's number.
    pub organization_number: i64,
    /// The number of the user who asked for the file.
    pub user_number: i64,
    /// When the file was asked for; UTC, whole seconds. Also the time stamp of every entry, so that the same
    /// input gives the same bytes.
    pub exported_at: DateTime,
}

/// Writes an organization's ZIP as a stream: members in the order of [`Entity::ALL`], indented JSON as Viva
/// Goals made it, ZIP64 where a member needs it. What stands in an element's `aside` is not written.
#[derive(Debug)]
pub struct Writer<W: Write + Seek> {
    zip: BufWriter<ZipWriter<W>>,
    heading: Heading,
    /// The member that is open.
    entity: Entity,
    written: [u64; Entity::ALL.len()],
    /// Stands one level in, where elements are.
    indented: PrettyFormatter<'static>,
}

impl<W: Write + Seek> Writer<W> {
    /// Begins a file.
    pub fn new(out: W, heading: Heading) -> Result<Self, Error> {
        let mut indented = PrettyFormatter::new();
        indented.begin_array(&mut std::io::sink())?;
        let zip = BufWriter::with_capacity(64 << 10, ZipWriter::new(out));
        let mut writer =
            Self { zip, heading, entity: Entity::Users, written: [0; Entity::ALL.len()], indented };
        writer.begin_member()?;
        Ok(writer)
    }

    /// Writes one element behind those before it. Elements of one entity stand together, and entities in the
    /// order of [`Entity::ALL`]; any may be left out.
    ///
    /// # Errors
    /// [`Error::WrittenOutOfOrder`], and whatever the output returns.
    pub fn write<T: Element>(&mut self, element: &T) -> Result<(), Error> {
        self.write_value(T::ENTITY, element)
    }

    fn write_value(&mut self, entity: Entity, value: &impl Serialize) -> Result<(), Error> {
        if entity < self.entity {
            return Err(Error::WrittenOutOfOrder { entity, after: self.entity });
        }
        while self.entity < entity {
            self.next_member()?;
        }
        let written = &mut self.written[entity as usize];
        self.indented.begin_array_value(&mut self.zip, *written == 0)?;
        *written += 1;
        let mut serializer = serde_json::Serializer::with_formatter(&mut self.zip, self.indented.clone());
        value.serialize(&mut serializer).map_err(|source| Error::Print { entity, source })
    }

    /// Writes one element like [`Writer::write`], with further keys behind its own: whoever reads the file finds
    /// them in the element's `aside`.
    ///
    /// # Errors
    /// Those of [`Writer::write`]; a value that is no JSON.
    pub fn write_with<T: Element>(&mut self, element: &T, more: &[Aside]) -> Result<(), Error> {
        if more.is_empty() {
            return self.write(element);
        }
        let print = |source| Error::Print { entity: T::ENTITY, source };
        let mut whole = serde_json::to_value(element).map_err(print)?;
        for Aside { path, json } in more {
            whole[path.as_str()] = serde_json::from_str(json).map_err(print)?;
        }
        self.write_value(T::ENTITY, &whole)
    }

    /// How many elements of an entity were written.
    pub fn written(&self, entity: Entity) -> u64 {
        self.written[entity as usize]
    }

    /// Ends the file and gives the output back; a member without elements is an empty array.
    pub fn finish(mut self) -> Result<W, Error> {
        while self.entity != Entity::Comments {
            self.next_member()?;
        }
        self.end_member()?;
        let zip = self.zip.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        Ok(zip.finish()?)
    }

    fn next_member(&mut self) -> Result<(), Error> {
        self.end_member()?;
        self.entity = Entity::ALL[self.entity as usize + 1];
        self.begin_member()
    }

    fn begin_member(&mut self) -> Result<(), Error> {
        let Heading { organization_number, user_number, exported_at } = self.heading;
        let name = MemberName { entity: self.entity, organization_number, user_number, exported_at };
        // Sizes are not known ahead, so every entry has room for large ones.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(time_stamp(exported_at))
            .large_file(true);
        self.zip.get_mut().start_file(name, options)?;
        Ok(self.zip.write_all(b"[")?)
    }

    fn end_member(&mut self) -> Result<(), Error> {
        self.zip.write_all(if self.written(self.entity) == 0 { b"]\n" } else { b"\n]\n" })?;
        Ok(self.zip.flush()?)
    }
}

/// The time stamp of an entry; ZIP knows the years 1980 to 2107 only.
fn time_stamp(at: DateTime) -> zip::DateTime {
    let part = |value: i8| u8::try_from(value).unwrap_or_default();
    u16::try_from(at.year())
        .ok()
        .and_then(|year| {
            let (month, day) = (part(at.month()), part(at.day()));
            let (hour, minute, second) = (part(at.hour()), part(at.minute()), part(at.second()));
            zip::DateTime::from_date_and_time(year, month, day, hour, minute, second).ok()
        })
        .unwrap_or_default()
}
