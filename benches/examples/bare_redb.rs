//! The least that a program on redb has to do to store a record: opens the file as the store does,
//! commits one small record, and closes it. `bare_redb PATH`

use std::error::Error;

use redb::backends::FileBackend;
use redb::{Builder, ConcurrencyMode, TableDefinition};

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("secrets");

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: bare_redb PATH")?;
    let file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    let database = Builder::new()
        .set_concurrency_mode(ConcurrencyMode::MultiWriter)
        .create_with_backend(FileBackend::new(file)?)?;
    let transaction = database.begin_write()?;
    transaction
        .open_table(TABLE)?
        .insert(b"key".as_slice(), [b'x'; 300].as_slice())?;
    transaction.commit()?;
    database.close()?;
    Ok(())
}
