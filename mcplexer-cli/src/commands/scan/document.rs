//! The JSON output of `mcplexer scan`.

use serde::Serialize;

use crate::failure::Failure;
use crate::scan::{Finding, Report};

#[derive(Serialize)]
pub(super) struct Document<'a> {
    files: u64,
    findings: Vec<Row<'a>>,
}

impl<'a> Document<'a> {
    pub(super) fn of(report: &'a Report) -> Result<Self, Failure> {
        let findings = report.findings.iter().map(Row::of);
        Ok(Self {
            files: report.files,
            findings: findings.collect::<Result<_, _>>()?,
        })
    }
}

/// A finding in JSON output.
#[derive(Serialize)]
struct Row<'a> {
    file: String,
    line: u64,
    column: u64,
    scope: &'a str,
    key: &'a str,
}

impl<'a> Row<'a> {
    /// Fails if the label is not the one that [`known`](crate::known::known) writes, which is a bug.
    fn of(it: &'a Finding) -> Result<Self, Failure> {
        let label = &it.place.label;
        let (scope, key) = label
            .split_once('/')
            .ok_or_else(|| Failure::new(format!("{label} is not SCOPE/KEY")))?;
        Ok(Self {
            file: it.file.to_string_lossy().into_owned(),
            line: it.place.line,
            column: it.place.column,
            scope,
            key,
        })
    }
}
