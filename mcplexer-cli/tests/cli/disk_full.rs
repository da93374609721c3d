//! A full disk: a clear error, and an unchanged store.

use std::fs::{self, File};
use std::io::Write;

use crate::home::Home;
use crate::namespaces;

/// F31: no failed write leaves an incomplete file.
#[test]
fn commands_on_a_full_disk_lose_nothing() {
    namespaces::run_on_disk("size=1m,mode=0700", "disk_full::on_a_small_disk");
}

#[test]
#[ignore = "is run by the test above, on a small disk of its own"]
fn on_a_small_disk() {
    if namespaces::mounted().is_none() {
        return;
    }
    let home = Home::new();
    for number in 0..20 {
        let (name, value) = (format!("K{number}"), format!("value {number}"));
        home.run(["secret", "put", "s", &name, &value]).succeeded();
    }
    let backup = home.root().join("b.age");
    let backup = backup.to_str().unwrap();
    home.run(["backup", "create", backup]).succeeded();
    let large = home.root().join("large");
    fs::write(&large, vec![b'x'; 200 << 10]).unwrap();
    let large = large.to_str().unwrap();

    let commands: [&[&str]; 6] = [
        &["secret", "put", "s", "LARGE", "--file", large],
        &["backup", "restore", backup, "--replace", "--force"],
        &["key", "rotate"],
        &["compact"],
        &["backup", "create", "other.age"],
        &["secret", "put", "s", "NEW", "v"],
    ];
    for command in commands {
        let (mut failed, mut done) = (0, 0);
        for free in (0..400).step_by(8) {
            let filler = fill(&home, free << 10);
            let run = home.run(command);
            fs::remove_file(filler).unwrap();
            match run.code {
                0 => done += 1,
                _ => {
                    failed += 1;
                    let no_space = "No space left on device";
                    run.failed(1, &["mcplexer: error: cannot ", no_space]);
                }
            }
            for number in [0, 7, 19] {
                let value = home.get("s", &format!("K{number}"));
                assert_eq!(value, format!("value {number}").as_bytes(), "{command:?}");
            }
            let _none = fs::remove_file(home.root().join("other.age"));
            if home.run(["secret", "delete", "s", "LARGE"]).code == 0 {
                home.run(["compact"]).succeeded();
            }
        }
        assert!(
            failed > 0 && done > 0,
            "{command:?}: {failed} failed, {done} done"
        );
        home.run(["audit", "verify"]).succeeded();
        let left = fs::read_dir(home.path("")).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 3, "{command:?} left {left:?}");
    }
}

/// Fills the disk until only `free` bytes are left.
fn fill(home: &Home, free: usize) -> std::path::PathBuf {
    let path = home.root().join("filler");
    let mut file = File::create(&path).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    let len = file.metadata().unwrap().len();
    file.set_len(len.saturating_sub(free as u64)).unwrap();
    path
}
