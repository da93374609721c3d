//! Problems of `config.yaml`, and what its servers need and the store does not have.

use super::{Report, Severity, count};
use crate::config::{Error, of_home};
use crate::home::Home;
use crate::open::OpenHome;
use crate::servers::missing_at_home;

const NO_PROBLEMS: &str = "config.yaml has no problems";
const CHECK: &str = "mcplexer config check";

/// Checks the file alone.
pub(super) fn examine(home: &Home, report: &mut Report) {
    match of_home(home) {
        Ok(None) => {}
        Ok(Some(config)) => {
            let servers = count(config.servers.len() as u64, "server");
            report.well(format!("{NO_PROBLEMS} ({servers})"));
        }
        Err(Error::Invalid { path, problems }) => {
            let path = path.display();
            let problem = problems.first().map_or_else(String::new, |it| {
                let field = match it.path.as_str() {
                    "" => String::new(),
                    path => format!("{path}: "),
                };
                format!("{path}:{}:{}: {field}{}", it.line, it.column, it.message)
            });
            let more = match problems.len() {
                0 | 1 => String::new(),
                several => format!(", and {} more", several - 1),
            };
            report.add(Severity::Error, "config", problem + &more, CHECK);
        }
        Err(error) => {
            let path = home.config();
            let fix = format!("make {} a file that you can read", path.display());
            report.add(Severity::Error, "config", error.to_string(), fix);
        }
    }
}

/// Checks that the store has what servers refer to. A file or a store that cannot be read has been reported.
pub(super) fn examine_references(open: &OpenHome, report: &mut Report) {
    for missing in missing_at_home(open).unwrap_or_default() {
        let meant = missing.meant();
        let meant = meant.map_or_else(String::new, |it| format!("; did you mean {it}?"));
        let message = format!("{missing}{meant}");
        report.add(Severity::Warning, "reference", message, missing.command());
        report.lacking.push(missing.server().clone());
        report.well.retain(|it| !it.starts_with(NO_PROBLEMS));
    }
}
