//! A team whose members log in as different users.

use mcplexer_postgres::PostgresBackend;
use mcplexer_secrets::backend::{Backend, BackendErrorKind, Commit, Replacement, Table};

use crate::server::{new_schema, shared};

#[test]
fn members_of_one_role_share_a_store_and_others_are_refused() {
    let Some(server) = shared() else { return };
    let schema = new_schema();
    for statement in [
        "CREATE ROLE team NOLOGIN",
        "GRANT CREATE ON DATABASE postgres TO team",
        "CREATE ROLE ann LOGIN IN ROLE team; ALTER ROLE ann SET role = 'team'",
        "CREATE ROLE bob LOGIN IN ROLE team; ALTER ROLE bob SET role = 'team'",
        "CREATE ROLE eve LOGIN",
    ] {
        server.sql(statement);
    }
    let of = |user: &str| {
        let url = format!(
            "postgres://{user}@127.0.0.1:{}/postgres?schema={schema}",
            server.port()
        );
        PostgresBackend::new(url.parse().unwrap()).unwrap()
    };
    let (anns, bobs, eves) = (of("ann"), of("bob"), of("eve"));
    let put = |backend: &PostgresBackend| {
        let mut transaction = backend.write().unwrap();
        transaction.put(Table::Meta, b"k", b"record").unwrap();
        assert!(matches!(transaction.commit(), Ok(Commit::Applied)));
    };
    put(&anns);
    put(&bobs);
    let Replacement { old, new } = bobs.replace().unwrap();
    drop(old);
    assert!(matches!(new.commit(), Ok(Commit::Applied)));
    put(&anns);
    let refused = eves.read().map(drop).unwrap_err();
    assert_eq!(refused.kind(), BackendErrorKind::Denied);
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert!(cause.contains("permission denied"), "{cause}");
}

/// What the hints say is enough.
#[test]
fn an_error_of_rights_says_what_gives_them() {
    let Some(server) = shared() else { return };
    server.sql("CREATE ROLE reader LOGIN");
    server.sql("CREATE ROLE owner LOGIN");
    server.sql("CREATE DATABASE narrow OWNER owner");
    server.sql("REVOKE CONNECT ON DATABASE narrow FROM PUBLIC");
    let as_user = |user: &str, database: &str| {
        let port = server.port();
        let url = format!("postgres://{user}@127.0.0.1:{port}/{database}");
        let backend = PostgresBackend::new(url.parse().unwrap()).unwrap();
        let mut transaction = backend.write()?;
        transaction.put(Table::Meta, b"k", b"record")?;
        transaction.commit()
    };
    let refused = |user: &str, database: &str| {
        let error = as_user(user, database).map(drop).unwrap_err();
        assert_eq!(error.kind(), BackendErrorKind::Denied, "{error:?}");
        error.advice().unwrap().to_owned()
    };
    let in_narrow = |statement: &str| {
        server.sql_in("narrow", statement);
    };
    let advice = refused("reader", "nowhere");
    assert!(
        advice.ends_with("createdb --owner reader nowhere creates it"),
        "{advice}"
    );
    let advice = refused("nobody", "narrow");
    assert!(advice.contains("createuser --pwprompt nobody"), "{advice}");

    let grant = "GRANT CONNECT ON DATABASE narrow TO reader";
    let advice = refused("reader", "narrow");
    assert!(advice.ends_with(grant), "{advice}");
    in_narrow(grant);
    let grant = "GRANT CREATE ON DATABASE narrow TO reader";
    let advice = refused("reader", "narrow");
    assert!(advice.ends_with(grant), "{advice}");

    in_narrow("CREATE SCHEMA mcplexer AUTHORIZATION owner");
    let grant = "GRANT USAGE, CREATE ON SCHEMA mcplexer TO reader";
    let advice = refused("reader", "narrow");
    assert!(advice.ends_with(grant), "{advice}");
    assert!(matches!(as_user("owner", "narrow"), Ok(Commit::Applied)));
    in_narrow(grant);
    // The tables are there by now, and belong to another role.
    let advice = refused("reader", "narrow");
    let (_, grant) = advice.split_once(": ").unwrap();
    let (grant, _) = grant.split_once(". ").unwrap();
    in_narrow(&grant.replace("OWNER", "owner"));
    assert!(matches!(as_user("reader", "narrow"), Ok(Commit::Applied)));
}

/// More threads than connections, on one handle.
#[test]
fn many_threads_wait_for_few_connections() {
    const THREADS: usize = 64;
    let Some(server) = shared() else { return };
    let schema = new_schema();
    let url = format!(
        "postgres://postgres@127.0.0.1:{}/postgres?schema={schema}&application_name=many",
        server.port()
    );
    let backend = PostgresBackend::new(url.parse().unwrap()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let backend = &backend;
            scope.spawn(move || {
                let key = thread.to_be_bytes();
                let mut transaction = backend.write().unwrap();
                transaction.put(Table::Meta, &key, b"record").unwrap();
                assert!(matches!(transaction.commit(), Ok(Commit::Applied)));
                let snapshot = backend.read().unwrap().unwrap();
                assert!(snapshot.get(Table::Meta, &key).unwrap().is_some());
            });
        }
    });
    let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'many'";
    let open: usize = server.sql(open).parse().unwrap();
    assert!(open < THREADS / 2, "{open} connections");
}
