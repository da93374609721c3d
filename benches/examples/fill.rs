//! Fills a home directory: `fill HOME SCOPES SECRETS_PER_SCOPE`.

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
    Ok(mcplexer_benches::fill(&store, scopes, secrets)?)
}
