use bytes::BytesMut;
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio_postgres::types::{IsNull, Type};

/// One parameter of a statement. Times are microseconds since 1970 (UTC), days are `YYYY-MM-DD` texts.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL `null`.
    Null,
    /// A whole number, an id, or a time in microseconds.
    Int(i64),
    /// A floating-point number.
    Real(f64),
    /// A truth value.
    Bool(bool),
    /// A text.
    Text(String),
    /// Bytes: a GUID, a token or a hash.
    Blob(Vec<u8>),
}

/// The parameters of a statement, `?1` first.
pub type Params<'a> = &'a [Value];

macro_rules! from {
    ($($from:ty => |$v:ident| $to:expr),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from($v: $from) -> Self { $to }
        }
    )*};
}

from! {
    i64 => |v| Self::Int(v),
    u32 => |v| Self::Int(i64::from(v)),
    usize => |v| Self::Int(v as i64),
    f64 => |v| Self::Real(v),
    bool => |v| Self::Bool(v),
    &str => |v| Self::Text(v.to_owned()),
    String => |v| Self::Text(v),
    &String => |v| Self::Text(v.clone()),
    &[u8] => |v| Self::Blob(v.to_vec()),
    Vec<u8> => |v| Self::Blob(v),
    [u8; 16] => |v| Self::Blob(v.to_vec()),
    [u8; 32] => |v| Self::Blob(v.to_vec()),
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(v) => ValueRef::Integer(*v),
            Self::Real(v) => ValueRef::Real(*v),
            Self::Bool(v) => ValueRef::Integer(i64::from(*v)),
            Self::Text(v) => ValueRef::Text(v.as_bytes()),
            Self::Blob(v) => ValueRef::Blob(v),
        }))
    }
}

/// A parameter of a PostgreSQL statement, in the binary form of its column's type.
impl tokio_postgres::types::ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(v) => v.to_sql(ty, out),
            Self::Real(v) => v.to_sql(ty, out),
            Self::Bool(v) => v.to_sql(ty, out),
            Self::Text(v) => crate::postgres::text::encode(v).to_sql(ty, out),
            Self::Blob(v) => v.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

impl Value {
    /// The type that PostgreSQL is told. `Unknown` lets it take that of the column.
    pub(crate) fn postgres_type(&self) -> Type {
        match self {
            Self::Null => Type::UNKNOWN,
            Self::Int(_) => Type::INT8,
            Self::Real(_) => Type::FLOAT8,
            Self::Bool(_) => Type::BOOL,
            Self::Text(_) => Type::TEXT,
            Self::Blob(_) => Type::BYTEA,
        }
    }
}

/// Parameters of a statement: `params![organization, "text", None::<i64>]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::Value::from($value)),*] };
}
