//! Prints the records of a store as the file contains them, for programs that cannot read redb files:
//!
//! ```sh
//! cargo run -p mcplexer-secrets --example dump_records ~/.mcplexer/secrets.redb
//! ```
//!
//! `{"meta": {KEY: RECORD, …}, "scopes": {…}, "secrets": {…}}`, keys and records in hex. Nothing is
//! decoded, and the library is not used.

use std::error::Error;
use std::fmt::Write;
use std::io;
use std::path::Path;

use redb::{
    Builder, ConcurrencyMode, ReadableDatabase, ReadableTable, TableDefinition, TableError,
};
use serde_json::{Map, Value};

/// Returns every record of the store at `path`.
pub(crate) fn records(path: &Path) -> Result<Value, Box<dyn Error>> {
    let database = Builder::new()
        .set_concurrency_mode(ConcurrencyMode::MultiWriter)
        .open_read_only(path)?;
    let transaction = database.begin_read()?;
    let mut tables = Map::new();
    for name in ["meta", "scopes", "secrets"] {
        let definition: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new(name);
        let mut records = Map::new();
        match transaction.open_table(definition) {
            Ok(table) => {
                for entry in table.iter()? {
                    let (key, record) = entry?;
                    records.insert(hex(key.value()), Value::String(hex(record.value())));
                }
            }
            Err(TableError::TableDoesNotExist(_)) => {}
            Err(error) => return Err(error.into()),
        }
        tables.insert(name.to_owned(), Value::Object(records));
    }
    Ok(Value::Object(tables))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _written = write!(text, "{byte:02x}");
    }
    text
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("the path of a store")?;
    serde_json::to_writer(io::stdout(), &records(Path::new(&path))?)?;
    Ok(())
}
