//! No lock-in: the stock `age` command opens a slot.

use std::fs;
use std::process::Command;

use redb::{Builder, ConcurrencyMode, ReadableDatabase, TableDefinition};
use test_support::tool;

use super::home::Home;

#[test]
fn the_stock_age_command_opens_a_slot_with_the_key_file() {
    let Some(age) = tool("age") else { return };
    let home = Home::with_secret("v");
    let slot = home.root().join("slot.age");
    fs::write(&slot, first_slot(&home)).unwrap();
    let output = Command::new(age)
        .args(["--decrypt", "--identity"])
        .args([&home.path("age.key"), &slot])
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    assert_eq!(output.stdout.len(), 32, "not a root key");
}

/// Returns the age file of the first owner: a byte string, which postcard writes after its length.
pub(super) fn first_slot(home: &Home) -> Vec<u8> {
    let database = Builder::new()
        .set_concurrency_mode(ConcurrencyMode::MultiWriter)
        .open_read_only(home.path("secrets.redb"))
        .unwrap();
    let table: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("meta");
    let table = database.begin_read().unwrap().open_table(table).unwrap();
    let owners = table
        .get(b"owners".as_slice())
        .unwrap()
        .unwrap()
        .value()
        .to_vec();
    let magic = b"age-encryption.org/v1\n-> X25519 ";
    let start = owners
        .windows(magic.len())
        .position(|window| window == magic)
        .unwrap();
    // A LEB128 number of two bytes: an age file of one recipient has 128 to 16,383.
    let len = usize::from(owners[start - 2] & 0x7f) | usize::from(owners[start - 1]) << 7;
    owners[start..start + len].to_vec()
}
