//! Fills a home directory: `fill HOME SCOPES SECRETS_PER_SCOPE`. Without secrets it takes one commit.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || {
        arguments
            .next()
            .ok_or("usage: fill HOME SCOPES SECRETS_PER_SCOPE")
    };
    let (home, scopes, secrets) = (next()?, next()?.parse()?, next()?.parse()?);
    let store = mcplexer_benches::open(Path::new(&home))?;
    match secrets {
        0 => mcplexer_benches::create_scopes(&store, scopes)?,
        secrets => mcplexer_benches::fill(&store, scopes, secrets)?,
    }
    Ok(())
}
