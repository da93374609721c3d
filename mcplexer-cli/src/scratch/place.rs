//! Which file systems are in memory, and whether they may be swapped out to a disk.

use std::path::{Path, PathBuf};

/// Whether what is in memory may come to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swap {
    /// No, as far as it can be told.
    No,
    /// The system swaps to a disk that is not encrypted.
    ToDisk,
}

/// Where file systems in memory are mounted, the best place first.
#[cfg(target_os = "linux")]
pub(super) fn candidates() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime.filter(|it| it.is_absolute());
    let user = rustix::process::geteuid().as_raw();
    let others = [
        PathBuf::from(format!("/run/user/{user}")),
        "/dev/shm".into(),
    ];
    runtime.into_iter().chain(others).collect()
}

/// Only Linux has such file systems without asking for them.
#[cfg(not(target_os = "linux"))]
pub(super) fn candidates() -> Vec<PathBuf> {
    Vec::new()
}

/// Returns whether the file system of a directory is a tmpfs or a ramfs.
#[cfg(target_os = "linux")]
pub(crate) fn is_in_memory(directory: &Path) -> bool {
    // linux/magic.h
    const TMPFS: i64 = 0x0102_1994;
    const RAMFS: i64 = 0x8584_58f6;
    let Ok(found) = rustix::fs::statfs(directory) else {
        return false;
    };
    // The type of the field differs between architectures.
    #[allow(
        clippy::allow_attributes,
        clippy::useless_conversion,
        reason = "it is no conversion on some of them"
    )]
    let kind = i64::try_from(found.f_type);
    kind.is_ok_and(|kind| kind == TMPFS || kind == RAMFS)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_in_memory(_directory: &Path) -> bool {
    false
}

/// Finds out whether the file system of a directory may be swapped out.
pub(super) fn swap_of(directory: &Path) -> Swap {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    if is_never_swapped(&read("/proc/self/mounts"), directory) {
        return Swap::No;
    }
    let is_encrypted = |device: &str| {
        let uuid = read(&format!("/sys/class/block/{device}/dm/uuid"));
        uuid.starts_with("CRYPT-")
    };
    match swaps_to_disk(&read("/proc/swaps"), is_encrypted) {
        true => Swap::ToDisk,
        false => Swap::No,
    }
}

/// Returns whether the mount of a directory has the option `noswap`, or is of a kind that is never swapped.
fn is_never_swapped(mounts: &str, directory: &Path) -> bool {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?, fields.next()?))
    });
    let of_directory = mounts.filter(|(at, _, _)| directory.starts_with(at));
    // The last one of the longest path is on top.
    of_directory
        .max_by_key(|(at, _, _)| at.len())
        .is_some_and(|(_, kind, options)| {
            kind == "ramfs" || options.split(',').any(|it| it == "noswap")
        })
}

/// Returns whether the content of `/proc/swaps` names a place on a disk. Compressed memory (zram) does not count.
fn swaps_to_disk(swaps: &str, is_encrypted: impl Fn(&str) -> bool) -> bool {
    let places = swaps.lines().skip(1).filter_map(|line| {
        let path = line.split_whitespace().next()?;
        Path::new(path).file_name()?.to_str()
    });
    let mut places = places.filter(|it| !it.starts_with("zram"));
    places.any(|it| !is_encrypted(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_swapped_to_is_known_from_memory() {
        let head = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
        let encrypted = |device: &str| device == "dm-1";
        for (lines, to_disk) in [
            ("", false),
            ("/dev/zram0    partition\t8388604\t0\t100\n", false),
            ("/dev/dm-1     partition\t8388604\t0\t-2\n", false),
            ("/dev/dm-2     partition\t8388604\t0\t-2\n", true),
            (
                "/dev/zram0 partition 1 0 100\n/swapfile file 1 0 -2\n",
                true,
            ),
        ] {
            assert_eq!(swaps_to_disk(&format!("{head}{lines}"), encrypted), to_disk);
        }
    }

    #[test]
    fn the_innermost_mount_counts() {
        let mounts = "tmpfs /run tmpfs rw 0 0\ntmpfs /run/user/7 tmpfs rw,noswap,size=1k 0 0\nnone /r ramfs rw 0 0\n";
        for (directory, never) in [
            ("/run/user/7", true),
            ("/run/user/7/x", true),
            ("/run/user/77", false),
            ("/run", false),
            ("/r", true),
        ] {
            assert_eq!(is_never_swapped(mounts, Path::new(directory)), never);
        }
    }
}
