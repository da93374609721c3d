//! The JSON output of `mcplexer scan`.

use serde::Serialize;

use super::{Kind, rule};
use crate::failure::Failure;
use crate::scan::{Finding, Report};

#[derive(Serialize)]
pub(super) struct Document<'a> {
    files: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<usize>,
    findings: Vec<Row<'a>>,
}

impl<'a> Document<'a> {
    pub(super) fn of(report: &'a Report, kind: Kind) -> Result<Self, Failure> {
        let findings = report.findings.iter().map(|it| Row::of(it, kind));
        Ok(Self {
            files: report.files,
            accepted: match kind {
                Kind::Values => None,
                Kind::Shapes { accepted } => Some(accepted),
            },
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
    #[serde(flatten)]
    what: What<'a>,
}

/// What was found.
#[derive(Serialize)]
#[serde(untagged)]
enum What<'a> {
    Value { scope: &'a str, key: &'a str },
    Shape { rule: String, kind: &'a str },
}

impl<'a> Row<'a> {
    /// Fails if the label is not the one that [`known`](crate::known::known) writes, which is a bug.
    fn of(it: &'a Finding, kind: Kind) -> Result<Self, Failure> {
        let label: &str = &it.place.label;
        let what = match kind {
            Kind::Values => {
                let (scope, key) = label
                    .split_once('/')
                    .ok_or_else(|| Failure::new(format!("{label} is not SCOPE/KEY")))?;
                What::Value { scope, key }
            }
            Kind::Shapes { .. } => What::Shape {
                rule: rule(label),
                kind: label,
            },
        };
        Ok(Self {
            file: it.file.to_string_lossy().into_owned(),
            line: it.place.line,
            column: it.place.column,
            what,
        })
    }
}
