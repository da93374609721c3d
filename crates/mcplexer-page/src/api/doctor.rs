//! What is wrong with a home, and what fixes it.

use axum::Json;
use axum::extract::State;
use mcplexer_home::OpenHome;
use mcplexer_home::doctor::{Doctor, Finding as Found, Report, Severity as HowBad, Surroundings};
use serde::Serialize;
use utoipa::ToSchema;

use super::servers;
use crate::access::Reader;
use crate::problem::Problem;
use crate::sight::Sight;
use crate::site::App;

/// What the checks of `mcplexer doctor` found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Checked {
    /// What is in order, in sentences.
    pub(crate) well: Vec<String>,
    /// The problems, in the order of the checks.
    pub(crate) findings: Vec<Finding>,
}

/// A problem.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What kind of problem it is, in a word that does not change.
    pub(crate) code: String,
    /// The problem in words.
    pub(crate) message: String,
    /// Commands that fix it.
    pub(crate) fix: Vec<String>,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Secrets are exposed or not available.
    Error,
    /// Secrets may become exposed or unavailable.
    Warning,
    /// Worth knowing.
    Note,
}

impl From<Report> for Checked {
    fn from(report: Report) -> Self {
        Self {
            well: report.well,
            findings: report.findings.into_iter().map(Finding::from).collect(),
        }
    }
}

impl From<Found> for Finding {
    fn from(found: Found) -> Self {
        let fix = match found.cause {
            // The terminal has advice on errors of the store.
            Some(_) => vec!["mcplexer doctor".to_owned()],
            None => found.fix,
        };
        Self {
            severity: match found.severity {
                HowBad::Error => Severity::Error,
                HowBad::Warning => Severity::Warning,
                _ => Severity::Note,
            },
            code: found.code.to_owned(),
            message: found.message,
            fix,
        }
    }
}

/// Checks everything, one at a time: it reads each secret and each line of the log.
pub(crate) async fn examine(app: &App, sight: &Sight) -> Result<Checked, Problem> {
    let failing = servers::failing(app, sight);
    app.in_turn(&app.checking, move |home: &OpenHome| {
        let doctor = Doctor {
            surroundings: Surroundings::of(|name| std::env::var_os(name)).without_project(),
            ..Doctor::default()
        };
        let mut report = doctor.examine_open(home, &mut |_| ());
        for (server, reason) in &failing {
            report.add_failing(server, reason.as_deref());
        }
        Ok::<_, Problem>(report.into())
    })
    .await
}

/// Checks the files, the store, the log and the keys, and fixes nothing. It takes as long as there are secrets and calls. A client
/// that may see some servers only is refused.
#[utoipa::path(
    get,
    path = "/api/v1/doctor",
    operation_id = "run_doctor",
    tag = "doctor",
    responses((status = 200, body = Checked))
)]
pub(super) async fn check(
    State(app): State<App>,
    Reader { sight }: Reader,
) -> Result<Json<Checked>, Problem> {
    sight.of_all("the checks are about")?;
    Ok(Json(examine(&app, &sight).await?))
}
