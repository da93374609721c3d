//! Where the daemon of a home is found.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mcplexer_durable::{
    close_directory, create_file, create_parent, open_regular, read_at_most, replace_file,
    wait_for, wait_for_lock,
};
use mcplexer_home::Home;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::DaemonError;

/// The longest path of a socket that every system takes, in bytes: macOS has 104 with the NUL behind it.
const MAX_SOCKET_PATH: usize = 103;

/// The longest text about the daemon, in bytes.
const MAX_INFO: usize = 8192;

/// A gateway that has just ended may take this long to go.
const LOCK_WAIT: Duration = Duration::from_millis(500);

/// How long a gateway may take to end: its last answers, and children that ignore every request.
const END_WAIT: Duration = Duration::from_secs(30);

/// The files of the daemon of one home.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    directory: PathBuf,
}

/// What the daemon says of itself to those who look for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Info {
    pub(crate) pid: u32,
    pub(crate) socket: PathBuf,
    pub(crate) http: Option<String>,
    /// It takes no more clients, and still has the lock until everything of it has ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_ending: bool,
}

impl Place {
    pub(crate) fn of(home: &Home) -> Self {
        let directory = home.run_directory();
        Self { directory }
    }

    #[cfg(test)]
    pub(crate) fn in_directory(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Returns whether no daemon runs.
    pub(crate) fn is_free(&self) -> bool {
        let file = open_regular(&self.lock_file(), OpenOptions::new().read(true));
        match file {
            Ok(Some(file)) => file.try_lock().is_ok(),
            _ => true,
        }
    }

    /// Returns the daemon that has begun to end, if it has not ended.
    pub(crate) fn ending(&self) -> Option<u32> {
        let info = self.info().filter(|it| it.is_ending)?;
        // One that was killed meanwhile has left the file.
        (!self.is_free()).then_some(info.pid)
    }

    /// Waits until no daemon is ending.
    pub(crate) fn wait_while_ending(&self) {
        if let Some(pid) = self.ending() {
            self.wait_until_ended(pid);
        }
    }

    /// Waits until a daemon has ended.
    pub(crate) fn wait_until_ended(&self, pid: u32) {
        let _late = wait_for(END_WAIT, || {
            let is_other = self.info().is_some_and(|it| it.pid != pid);
            Ok::<_, ()>((is_other || self.is_free()).then_some(()))
        });
    }

    /// Lets one process at a time start a daemon. `None` if that cannot be had.
    pub(crate) fn lock_starts(&self, patience: Duration) -> Option<File> {
        let path = self.directory.join("start.lock");
        create_parent(&path).ok()?;
        create_file(&path).ok()?;
        let file = open_regular(&path, OpenOptions::new().read(true)).ok()??;
        wait_for_lock(&file, patience).ok()??;
        Some(file)
    }

    fn lock_file(&self) -> PathBuf {
        self.directory.join("gateway.lock")
    }

    fn info_file(&self) -> PathBuf {
        self.directory.join("gateway.json")
    }

    /// Returns the log of a daemon that runs in the background.
    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join("gateway.log")
    }

    /// Makes this process the daemon of the home, until the file is closed. If another one is ending, waits for its end, or
    /// says so at once.
    pub(crate) fn lock(&self, waits_for_end: bool) -> Result<File, DaemonError> {
        let path = self.lock_file();
        let open = || {
            create_parent(&path)?;
            close_directory(&File::open(&self.directory)?)?;
            create_file(&path)?;
            open_regular(&path, OpenOptions::new().read(true).write(true))?
                .ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        let failed = |source| DaemonError::Io {
            path: path.clone(),
            source,
        };
        let file: File = open().map_err(failed)?;
        if wait_for_lock(&file, LOCK_WAIT).map_err(failed)?.is_some() {
            return Ok(file);
        }
        if let Some(pid) = self.ending() {
            let patience = if waits_for_end {
                END_WAIT
            } else {
                Duration::ZERO
            };
            return match wait_for_lock(&file, patience).map_err(failed)? {
                Some(()) => Ok(file),
                None => Err(DaemonError::Ending { pid }),
            };
        }
        Err(DaemonError::Runs {
            pid: self.info().map(|it| it.pid),
        })
    }

    /// Returns what the daemon says of itself. It may have ended since.
    pub(crate) fn info(&self) -> Option<Info> {
        let file = open_regular(&self.info_file(), OpenOptions::new().read(true)).ok()??;
        serde_json::from_slice(&read_at_most(MAX_INFO, &file).ok()?).ok()
    }

    /// Says where the daemon is.
    pub(crate) fn tell(&self, info: &Info) -> Result<(), DaemonError> {
        let path = self.info_file();
        let text = serde_json::to_vec(info).map_err(io::Error::other);
        let written = text.and_then(|it| {
            let replaced = replace_file(&path, &it);
            replaced.map_err(|error| io::Error::other(error.to_string()))
        });
        written.map_err(|source| DaemonError::Io { path, source })
    }

    /// Removes what says where the daemon is.
    pub(crate) fn clear(&self, socket: &Path) {
        let _gone = fs::remove_file(self.info_file());
        let _gone = fs::remove_file(socket);
    }

    /// Listens on the socket. Only the daemon may call this: a socket that is there has been left by another one.
    pub(crate) fn listen(&self) -> Result<(UnixListener, PathBuf), DaemonError> {
        let path = self.socket()?;
        let listen = || {
            create_parent(&path)?;
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = UnixListener::bind(&path)?;
            fs::set_permissions(&path, Permissions::from_mode(0o600))?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        };
        match listen() {
            Ok(listener) => Ok((listener, path)),
            Err(source) => Err(DaemonError::Io { path, source }),
        }
    }

    /// Returns the path of the socket: in the home, where every client finds it, since clients start servers without
    /// `XDG_RUNTIME_DIR`; or there, if the path in the home is too long for a socket.
    fn socket(&self) -> Result<PathBuf, DaemonError> {
        let path = self.directory.join("gateway.sock");
        if path.as_os_str().len() <= MAX_SOCKET_PATH {
            return Ok(path);
        }
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let digest = Sha256::digest(path.as_os_str().as_bytes());
        let name: String = digest
            .iter()
            .take(8)
            .map(|it| format!("{it:02x}"))
            .collect();
        let short = runtime.map(|it| it.join("mcplexer").join(format!("{name}.sock")));
        match short {
            Some(short) if short.is_absolute() && short.as_os_str().len() <= MAX_SOCKET_PATH => {
                Ok(short)
            }
            _ => Err(DaemonError::TooLong { path }),
        }
    }
}
