//! Moves the servers of a client's file behind the gateway: into `config.yaml`, with their credentials in the store.

mod names;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use mcplexer_clients::{
    AdoptError, Adoption, Entry, Finding, HandOverError, HandedOver, Outcome, Place,
    Server as ServerEntry, Start, Stays, store as clients_store,
};
use mcplexer_durable::FileReplacement;
use mcplexer_files::config::{Server, ServerName};
use mcplexer_secrets::Error as StoreError;
use serde::Serialize;

use super::client_file::ClientFile;
use super::kept::{Kept, KeptServer};
use super::report::{FileReport, FindingReport, Left};
use super::{ATTEMPTS, Choice, Error};
use crate::open::OpenHome;
use crate::servers::{self, Origin, Refusal, of_entry};
use names::Names;

/// What goes behind the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GatewayReport {
    /// The client, as `mcplexer connect --client` says it.
    pub client: ServerName,
    /// The servers that move to `config.yaml`.
    pub servers: Vec<BehindGateway>,
    /// The servers that stay in the client's file.
    pub stays: Vec<InFile>,
}

/// A server that moves to `config.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BehindGateway {
    /// Its name in the client's file.
    pub server: String,
    /// The directory of its project, in a file that has several.
    pub project: Option<String>,
    /// Its name in `config.yaml`.
    pub name: ServerName,
    /// Whether it is added there. Else the same server is there already.
    pub added: bool,
    /// What the client's file says of it besides, and is left out: `timeout`.
    pub left_out: Vec<String>,
}

/// A server that stays in the client's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InFile {
    /// Its name.
    pub server: String,
    /// The directory of its project, in a file that has several.
    pub project: Option<String>,
    /// Why it stays.
    pub reason: String,
}

/// The length of the shortest value that is sought in what is kept, in bytes.
const LEAST_SOUGHT: usize = 8;

/// Returns what moving a file's servers behind the gateway would do. Changes nothing. `program` starts the gateway's
/// connection afterwards.
///
/// # Errors
/// As [`plan`](super::plan). [`Error::HandOver`] if the file's notation does not allow it; [`Error::Between`] if
/// credentials are between the servers; [`Error::Servers`] if `config.yaml` cannot be read.
pub fn plan_for_gateway(
    path: &Path,
    choice: &Choice,
    program: &str,
    open: &OpenHome,
) -> Result<FileReport, Error> {
    let file = ClientFile::read(path)?;
    file.check_names(choice)?;
    let plan = Plan::make(&file, choice, program, open)?;
    Ok(plan.report(&file))
}

/// Moves a file's servers behind the gateway. Whatever is killed meanwhile leaves every server in the client's file or
/// in `config.yaml`: stores the credentials, writes `config.yaml`, keeps the servers as they were written, and then
/// replaces the file.
///
/// # Errors
/// As [`plan_for_gateway`] and [`adopt`](super::adopt).
pub fn adopt_for_gateway(
    path: &Path,
    choice: &Choice,
    program: &str,
    open: &OpenHome,
) -> Result<FileReport, Error> {
    let replacement = FileReplacement::begin(path)?;
    let file = ClientFile::read(path)?;
    file.check_names(choice)?;
    let (plan, mut kept) = store(&file, choice, program, open)?;
    if plan.text() == file.bytes.as_slice() {
        return Ok(plan.report(&file));
    }
    if let Some(handed) = &plan.handed {
        kept.push(handed.servers.clone(), plan.text());
        kept.servers = plan.kept.clone();
        kept.save()?;
    }
    let has_other_names = replacement.has_other_names();
    replacement.write_over(&file.bytes, plan.text())?;
    if plan.handed.is_some() {
        kept.done();
        kept.save()?;
    }
    Ok(FileReport {
        written: true,
        has_other_names,
        ..plan.report(&file)
    })
}

/// Stores the credentials and adds the servers. If another program has taken a name meanwhile, they get other ones.
fn store(
    file: &ClientFile,
    choice: &Choice,
    program: &str,
    open: &OpenHome,
) -> Result<(Plan, Kept), Error> {
    for _ in 0..ATTEMPTS {
        let plan = Plan::make(file, choice, program, open)?;
        match clients_store::save(&plan.adoption, open.store()) {
            Err(AdoptError::Store(StoreError::Conflicts { .. })) => continue,
            stored => stored?,
        }
        let mut kept = Kept::load(open.home(), &file.path, &plan.report.client)?;
        kept.settle(&file.bytes, &file.config)?;
        if !plan.new.is_empty() {
            match servers::add(open.home(), &plan.new, false) {
                Err(servers::Error::Exists { .. }) => continue,
                added => drop(added?),
            }
        }
        return Ok((plan, kept));
    }
    Err(Error::Busy)
}

/// What moving behind the gateway makes of a file.
struct Plan {
    adoption: Adoption,
    handed: Option<HandedOver>,
    /// The servers to add.
    new: Vec<(ServerName, Server)>,
    /// All servers that the file has behind the gateway.
    kept: Vec<KeptServer>,
    report: GatewayReport,
}

impl Plan {
    fn make(
        file: &ClientFile,
        choice: &Choice,
        program: &str,
        open: &OpenHome,
    ) -> Result<Self, Error> {
        let servers = file.config.servers();
        let is_remote = |at: &usize| servers.get(*at).is_some_and(|it| it.start == Start::Remote);
        let mut headers: Vec<usize> = (0..servers.len()).filter(is_remote).collect();
        // A server that stays has to keep its header fields, which its client sends.
        loop {
            let adoption = file.plan(choice, &headers, program, open)?;
            let adopted = file.with_text(adoption.text())?;
            let entries = adopted.entries();
            let before = file.config.entries();
            let mut names = Names::read(file, open.home())?;
            let (mut stays, mut moves) = (Vec::new(), Vec::new());
            let mut staying = BTreeSet::new();
            let left = left(&adoption.findings);
            let origin = Origin::of(&file.path);
            for (at, entry) in entries.iter().enumerate() {
                let is_meant = choice.servers.iter().any(|it| entry.server.is_named(it));
                if entry.is_gateway() || (!is_meant && !choice.servers.is_empty()) {
                    staying.insert(at);
                    continue;
                }
                match goes(entry, before.get(at), &left, &origin, &mut names) {
                    Ok(behind) => moves.push(behind),
                    Err(reason) => {
                        staying.insert(at);
                        stays.push(InFile {
                            server: entry.server.name.clone(),
                            project: entry.server.project.clone(),
                            reason,
                        });
                    }
                }
            }
            let remote = headers.len();
            headers.retain(|at| !staying.contains(at));
            if headers.len() < remote {
                continue;
            }
            let report = GatewayReport {
                client: names.client.clone(),
                servers: moves,
                stays,
            };
            let handed = match report.servers.is_empty() {
                true => None,
                false => {
                    check_between(file, &adoption)?;
                    let place = |server: &ServerEntry| (server.position, server.name.clone());
                    let moving = entries.iter().enumerate();
                    let moving = moving.filter(|(at, _)| !staying.contains(at));
                    let moving: BTreeSet<_> = moving.map(|(_, it)| place(it.server)).collect();
                    let handed = adopted.hand_over(
                        file.program(program),
                        report.client.as_str(),
                        &|server| moving.contains(&place(server)),
                    );
                    Some(handed.map_err(|source| Error::HandOver {
                        file: file.path.clone(),
                        source,
                    })?)
                }
            };
            if let Some(handed) = &handed {
                check_values(file, &adoption, handed)?;
            }
            let (new, kept) = names.into_servers();
            return Ok(Self {
                adoption,
                handed,
                new,
                kept,
                report,
            });
        }
    }

    /// Returns the file as it becomes.
    fn text(&self) -> &[u8] {
        match &self.handed {
            Some(handed) => &handed.text,
            None => self.adoption.text(),
        }
    }

    fn report(self, file: &ClientFile) -> FileReport {
        let mut report = file.report(&self.adoption);
        for finding in &mut report.findings {
            finding.left = finding.left.take().map(for_gateway);
        }
        FileReport {
            gateway: Some(self.report),
            ..report
        }
    }
}

/// The first credential of each server, by project and name, that stays in the file. Or the path of its variables.
type LeftOf<'f> = HashMap<(Option<&'f str>, &'f str), &'f Finding>;

fn left(findings: &[Finding]) -> LeftOf<'_> {
    let stays = |it: &&Finding| {
        let is_credential = it.reason.is_some() && matches!(it.outcome, Outcome::Stays(_));
        is_credential || matches!(it.outcome, Outcome::Stays(Stays::OtherFile))
    };
    let mut left = LeftOf::new();
    for it in findings.iter().filter(stays) {
        let server = (it.project.as_deref(), it.server.as_str());
        left.entry(server).or_insert(it);
    }
    left
}

/// Returns why a credential stays if its server cannot move either: no option makes `config.yaml` take it in a command.
fn for_gateway(left: Left) -> Left {
    match left.0 {
        Stays::Argument => Left(Stays::Command),
        stays => Left(stays),
    }
}

/// Returns where a server goes, or why it stays. `before` is its entry as the file has it.
fn goes(
    entry: &Entry<'_>,
    before: Option<&Entry<'_>>,
    left: &LeftOf<'_>,
    origin: &Origin,
    names: &mut Names,
) -> Result<BehindGateway, String> {
    let server = entry.server;
    let left = left.get(&(server.project.as_deref(), server.name.as_str()));
    // What the client fills in has another reason to stay than a credential.
    if let Some(finding) = left.filter(|_| entry.variables.is_empty()) {
        let left = FindingReport::of(finding).left.map(for_gateway);
        let left = left.map(|it| it.to_string());
        return Err(format!("{}: {}", finding.place, left.unwrap_or_default()));
    }
    let imported = of_entry(entry, origin).map_err(|refusal| match (refusal, before) {
        // Adopting has put other arguments before them.
        (Refusal::Variables(_), Some(before)) if !before.variables.is_empty() => {
            explain(&Refusal::Variables(before.variables.clone()))
        }
        (refusal, _) => explain(&refusal),
    })?;
    let (name, added) = names.take(&imported.name, &imported.server);
    Ok(BehindGateway {
        server: server.name.clone(),
        project: server.project.clone(),
        name,
        added,
        left_out: imported.left_out,
    })
}

/// Says why a server cannot be in `config.yaml`.
fn explain(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Start => "it has no command and no URL, or one line for a shell".to_owned(),
        Refusal::Variables(places) => {
            let places: Vec<_> = places.iter().map(Place::to_string).collect();
            format!("the client fills in variables: {}", places.join(", "))
        }
        Refusal::Relative(word) => {
            format!(
                "{word} is a relative path, and the gateway starts servers elsewhere; write the whole path"
            )
        }
        Refusal::Name => {
            "no name of 1 to 32 of a-z, 0-9, - and _ can be made of its name".to_owned()
        }
        Refusal::Problems(problems) => problems.first().map_or(String::new(), |it| {
            let field = it.path.splitn(3, '.').nth(2);
            let field = field.map_or(String::new(), |field| format!("{field}: "));
            format!("{field}{}", it.message.replace("this file", "config.yaml"))
        }),
        _ => String::new(),
    }
}

/// Refuses credentials in comments between the servers, which would be kept in plaintext.
fn check_between(file: &ClientFile, adoption: &Adoption) -> Result<(), Error> {
    let elsewhere = adoption.findings.iter();
    let elsewhere = elsewhere.filter(|it| it.place == Place::Elsewhere);
    let positions: Vec<_> = elsewhere.map(|it| it.position).collect();
    let between = file.config.among_servers(&positions);
    match between.is_empty() {
        true => Ok(()),
        false => Err(Error::Between {
            file: file.path.clone(),
            lines: between.iter().map(|it| it.line).collect(),
        }),
    }
}

/// Refuses to keep a value that goes to the store.
fn check_values(file: &ClientFile, adoption: &Adoption, handed: &HandedOver) -> Result<(), Error> {
    let mut secrets = adoption.secrets().flat_map(|(_, secrets)| secrets);
    let is_kept = secrets.any(|(_, value)| {
        let value = str::from_utf8(value.expose());
        // A shorter one is in many texts by chance; as a credential of its own it has been found.
        let value = value.ok().filter(|it| it.len() >= LEAST_SOUGHT);
        value.is_some_and(|it| handed.servers.iter().any(|map| map.contains(it)))
    });
    match is_kept {
        true => Err(Error::HandOver {
            file: file.path.clone(),
            source: HandOverError::Credential,
        }),
        false => Ok(()),
    }
}
