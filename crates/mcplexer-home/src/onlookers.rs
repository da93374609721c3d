//! Who else can see the arguments of a process.

use std::fs;

use rustix::process::getuid;

/// User ids of people; those below are the system's, those above mean "nobody" or are handed out to
/// containers (login.defs(5), `UID_MIN`; Debian Policy, 9.2.2).
const PEOPLE: std::ops::Range<u32> = 1000..60_000;
/// Shells of users who cannot log in.
const NO_SHELLS: [&str; 3] = ["/nologin", "/false", "/sync"];

/// Returns whether other people who may log in to this machine can see the arguments of this user's
/// processes.
///
/// They can unless `/proc` hides them (`hidepid`, proc(5)). The other people are those of `/etc/passwd`.
/// If this user is not listed there, users come from elsewhere, and there may be more.
#[must_use]
pub fn others_see_arguments() -> bool {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    if hides_processes(&mounts) {
        return false;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    has_other_people(&users, getuid().as_raw())
}

/// Returns whether a list of mounts (fstab(5)) has a `/proc` that hides processes of other users.
fn hides_processes(mounts: &str) -> bool {
    let mut options = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let is_proc = fields.next()? == "/proc" && fields.next()? == "proc";
        fields.next().filter(|_| is_proc)
    });
    // The last one mounted there is the one that is seen.
    let last = options.next_back().unwrap_or_default();
    let mut hidden = last.split(',').filter_map(|it| it.strip_prefix("hidepid="));
    hidden
        .next_back()
        .is_some_and(|it| it != "0" && it != "off")
}

/// Returns whether a list of users (passwd(5)) has people who can log in besides this one, or lacks this one.
fn has_other_people(users: &str, own: u32) -> bool {
    let mut is_listed = false;
    for line in users.lines() {
        let mut fields = line.split(':').skip(2);
        let Some(Ok(id)) = fields.next().map(str::parse::<u32>) else {
            continue;
        };
        let shell = fields.nth(3).unwrap_or_default();
        let can_log_in = !NO_SHELLS.iter().any(|it| shell.ends_with(it));
        if id == own {
            is_listed = true;
        } else if PEOPLE.contains(&id) && can_log_in {
            return true;
        }
    }
    !is_listed
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEM: &str = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:/bin/sh\n\
                          nobody:x:65534:65534::/:/usr/sbin/nologin\n";

    #[test]
    fn other_people_are_users_who_can_log_in() {
        let with = |line: &str| format!("{SYSTEM}{line}\n");
        let ann = with("ann:x:1000:1000:Ann:/home/ann:/bin/zsh");
        for (users, own, expected) in [
            (SYSTEM, 0, false),
            (&ann, 1000, false),
            (&ann, 0, true),
            // Without a shell it is /bin/sh.
            (&with("bob:x:1001:1001::/home/bob:"), 0, true),
            (&with("git:x:1001:1001::/srv:/usr/bin/false"), 0, false),
            (
                &format!("{ann}bob:x:1001:1001::/home/bob:/bin/sh\n"),
                1000,
                true,
            ),
            (SYSTEM, 1000, true),
            ("", 0, true),
        ] {
            assert_eq!(has_other_people(users, own), expected, "{own} {users}");
        }
    }

    #[test]
    fn processes_may_be_hidden() {
        for (mounts, expected) in [
            ("proc /proc proc rw,nosuid 0 0\n", false),
            ("proc /proc proc rw,hidepid=2,gid=4 0 0\n", true),
            ("proc /proc proc rw,hidepid=invisible 0 0\n", true),
            ("proc /proc proc rw,hidepid=0 0 0\n", false),
            ("proc /srv/proc proc rw,hidepid=2 0 0\n", false),
            (
                "proc /proc proc rw,hidepid=2 0 0\nproc /proc proc rw 0 0\n",
                false,
            ),
            ("", false),
        ] {
            assert_eq!(hides_processes(mounts), expected, "{mounts}");
        }
    }
}
