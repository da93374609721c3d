//! Looks for the values of the store.

use mcplexer_mask::Scanner;
use mcplexer_secrets::{Credentials, Purpose, ScopeId, SecretStore, Select};

use super::{Kind, check_unread, outcome, result, searched, show};
use crate::cli::{Global, Scan};
use crate::exit_code;
use crate::failure::Failure;
use crate::known;
use crate::scan::{Search, unread};
use crate::session::Session;
use crate::text::{count, shortened};

pub(super) fn run(scan: &Scan, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    if !session.has_store() {
        // A store that is gone is another matter than one that was never there.
        session.store().scope_names()?;
        check_unread(&unread(&scan.paths))?;
        return Err(no_store(&session));
    }
    let opened = open(&session, &scan.scope)?;
    let secrets: usize = opened.iter().map(|scope| scope.iter().count()).sum();
    let mut known = known::Wanted::of(opened.iter());
    let everyday = known.take_everyday();
    let scanner = Scanner::new(known.known);
    drop(opened);
    let looked_for = secrets - scanner.too_short().len() - everyday.len();
    for line in known::left_out("skipped", scanner.too_short(), &everyday) {
        session.tell(&line);
    }
    let report = match secrets {
        0 => unread(&scan.paths),
        _ => searched(scan, Search::Values(Box::new(scanner)), global)?,
    };
    show(&report, scan.format(), Kind::Values)?;
    if secrets == 0 {
        let store = shortened(session.home().store());
        session.tell(&format!("{store} has no secrets to look for"));
        return check_unread(&report);
    }
    let files = count(report.files, "file");
    let looked_for = count(looked_for as u64, "secret");
    let outcome = outcome(&report);
    session.tell(&format!("{files}, {looked_for}: {outcome}"));
    result(&report, || {
        session.hint("put mcplexer://SCOPE/KEY in the file instead, and use it with mcplexer inject or mcplexer run --env-file");
    })
}

/// Opens all secrets of these scopes, or of all scopes if none is given.
fn open(session: &Session, scopes: &[ScopeId]) -> Result<Vec<Credentials>, Failure> {
    let mut scopes = scopes.to_vec();
    if scopes.is_empty() {
        let all = session.store().scopes()?.into_iter();
        scopes.extend(all.filter(|scope| scope.secrets > 0).map(|scope| scope.id));
    }
    scopes.sort();
    scopes.dedup();
    let open = |scope| {
        let store = session.store();
        store.credentials(scope, Select::All, Purpose::Scan)
    };
    let opened = scopes.iter().map(open).collect::<Result<_, _>>();
    opened.map_err(|error| session.explain(error))
}

/// Creates the failure for a home without a store: a search for nothing would find nothing, and seem to be a good result.
fn no_store(session: &Session) -> Failure {
    let place = session.place();
    Failure::new(format!(
        "there is no store {place}, so nothing was searched"
    ))
    .with_hint("mcplexer scan --shapes needs no store; MCPLEXER_HOME names another directory")
    .with_code(exit_code::NOT_FOUND)
}
