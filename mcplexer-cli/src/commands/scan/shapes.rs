//! Looks for credentials by their shape: needs no key, no store and no home.

use std::path::Path;

use mcplexer_home::harden;

use super::{Kind, check_unread, outcome, result, rule, searched, show};
use crate::cli::{Global, Scan};
use crate::failure::{Failure, again};
use crate::scan::{Baseline, Report, Search};
use crate::stderr::{say, say_hint};
use crate::text::{count, sanitized, shown};

pub(super) fn run(scan: &Scan, global: Global) -> Result<(), Failure> {
    // The process ends after the search, with the limit on core dumps as it is now.
    let _limit = harden();
    let baseline = scan.baseline.as_deref().map(Baseline::at);
    if let Some(baseline) = baseline.as_ref().filter(|_| scan.write_baseline) {
        return write(
            &searched(scan, Search::Shapes, global)?,
            baseline,
            scan,
            global,
        );
    }
    let accepted = baseline.as_ref().map(Baseline::read).transpose()?;
    let mut report = searched(scan, Search::Shapes, global)?;
    let applied = baseline.zip(accepted);
    let applied = applied.map(|(baseline, rows)| baseline.apply(&rows, &mut report, rule));
    let (accepted, exceeded) = applied.unwrap_or_default();
    show(&report, scan.format(), Kind::Shapes { accepted })?;
    if !global.quiet {
        for it in exceeded {
            let (file, rule, found) = (sanitized(it.file), it.rule, it.found);
            say(&format!(
                "{file}: {found} of {rule}, and the baseline accepts {}",
                it.accepted
            ));
        }
        let files = count(report.files, "file");
        let outcome = outcome(&report);
        let accepted = match accepted {
            0 => String::new(),
            accepted => format!(", {accepted} accepted"),
        };
        say(&format!("{files}: {outcome}{accepted}"));
    }
    result(&report, || {
        if !global.quiet {
            advise(scan.baseline.as_deref());
        }
    })
}

/// Writes the baseline, unless a part of the files could not be read.
fn write(report: &Report, baseline: &Baseline, scan: &Scan, global: Global) -> Result<(), Failure> {
    check_unread(report)?;
    baseline.write(report, rule)?;
    if !global.quiet {
        let path = scan.baseline.as_deref().map(shown).unwrap_or_default();
        let findings = count(report.findings.len() as u64, "finding");
        say(&format!("wrote {path}, which accepts {findings}"));
    }
    Ok(())
}

/// Says what to do about what was found.
fn advise(baseline: Option<&Path>) {
    say_hint(
        "revoke a credential that others have seen; mcplexer secret put SCOPE KEY stores the new one, and mcplexer://SCOPE/KEY takes its place",
    );
    let mut options = Vec::from(match baseline {
        Some(_) => &[][..],
        None => &["--baseline", ".mcplexer-baseline.json"],
    });
    options.push("--write-baseline");
    say_hint(&again(&options, "accepts what is no secret"));
}
