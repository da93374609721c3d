//! What messages say of a store's place.

use std::borrow::Cow;

use tokio_postgres::error::{DbError, Severity, SqlState};

/// Where a store is, and who asks for it.
#[derive(Debug)]
pub(crate) struct Place {
    /// The address without the password.
    pub(crate) address: String,
    pub(crate) role: String,
    pub(crate) database: String,
    pub(crate) schema: String,
}

impl Place {
    /// What to do about an answer of the server; `None` if all that helps is to log in with the right password.
    pub(crate) fn advice(&self, said: &DbError) -> Option<String> {
        let state = said.code();
        let (role, database) = (name(&self.role, "ROLE"), name(&self.database, "DATABASE"));
        let schema = &self.schema;
        if *state == SqlState::INVALID_PASSWORD {
            None
        } else if *state == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
            Some(format!(
                "on the server, createuser --pwprompt {role} creates a role, and pg_hba.conf says who logs in from where"
            ))
        } else if *state == SqlState::INVALID_CATALOG_NAME {
            Some(format!(
                "check its name; on the server, createdb --owner {role} {database} creates it"
            ))
        } else if *state != SqlState::INSUFFICIENT_PRIVILEGE {
            Some("what the server says is for those who run it; its log may say more".to_owned())
        } else if said.parsed_severity() == Some(Severity::Fatal) {
            Some(format!(
                "on the server: GRANT CONNECT ON DATABASE {database} TO {role}"
            ))
        } else if said.message().contains("for database") {
            Some(format!(
                "the first use creates the schema {schema}. On the server: GRANT CREATE ON DATABASE {database} TO {role}"
            ))
        } else {
            Some(format!(
                "{role} needs the rights of the role that owns the tables: GRANT OWNER TO {role}; ALTER ROLE {role} SET role = 'OWNER'. In a schema without tables: GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}"
            ))
        }
    }
}

/// A name that can be typed as it is, or what stands for it.
fn name<'a>(name: &'a str, otherwise: &'a str) -> Cow<'a, str> {
    let is_plain = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_';
    match !name.is_empty() && name.bytes().all(is_plain) {
        true => name.into(),
        false => otherwise.into(),
    }
}
