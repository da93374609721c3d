//! Does a text look like a credential?
//!
//! There are four signs, in this order:
//!
//! 1. the shape of a known kind of token: `ghp_…`, a JSON Web Token, a private key
//! 2. a password in a URL or a connection string
//! 3. the name of the variable or header field
//! 4. randomness
//!
//! [`credential`] looks further within a value: at the names in JSON, header fields and settings, at the parts of
//! addresses, and at the words of a wallet's seed.
//!
//! A value that is plainly something else is not a credential, whatever its name: a path, a placeholder,
//! `${TOKEN}`, `mcplexer://scope/KEY`, `op://…`. Neither are the made-up passwords of examples:
//! `changeme`, `user:password@`.
//!
//! The answer is a guess. [`credential`] is made for configuration files of AI clients, where a person
//! reviews what was found. [`find_any`] is made for files that must not contain any value, where a false
//! alarm costs less than a miss.
//!
//! The issuers of tokens document their shapes. They were compared with the collections of gitleaks and
//! trufflehog.

mod address;
mod by_name;
mod credential;
mod entropy;
mod everyday;
mod find;
mod json;
mod name;
mod named;
mod option;
mod reason;
mod reference;
mod scheme;
mod shape;
mod takeover;
mod token;
mod url;
mod value;

pub use address::find_in_address;
pub use credential::{credential, in_words, is_named_id, login};
pub use everyday::is_everyday;
pub use find::{find, find_any};
pub use name::is_public_name;
pub use named::{find_named, name_before};
pub use option::{find_by_option, takes_login};
pub use reason::Reason;
pub use reference::{is_resource, stands_for_another};
pub use scheme::is_auth_scheme;
pub use takeover::{takes_over, takes_over_a_shell};
