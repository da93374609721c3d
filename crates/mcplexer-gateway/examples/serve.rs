//! A gateway for the servers of the home: `serve [--server NAME]` on standard input and output, `serve --http ADDRESS`.

use std::error::Error;
use std::sync::Arc;

use mcplexer_gateway::{Access, Endpoint, Gateway, Limits, Peer, standard_input, standard_output};
use mcplexer_home::config::ConfigFile;
use mcplexer_home::{Home, OpenHome};
use mcplexer_secrets::keys::PassphraseRequest;
use tokio::io::BufReader;
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

fn main() -> Result<(), Box<dyn Error>> {
    let home = Home::from_env()?;
    let config = ConfigFile::of_home(&home)?.into_config()?;
    let home = Arc::new(OpenHome::open(home, |_: &PassphraseRequest<'_>| None)?);
    let arguments: Vec<_> = std::env::args().skip(2).collect();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let gateway = Gateway::new(home, &config, Limits::default());
        let option = |name: &str| {
            let at = arguments.iter().position(|it| it == name)?;
            arguments.get(at + 1)
        };
        if let Some(address) = option("--http") {
            let listener = tokio::net::TcpListener::bind(address).await?;
            let stop = CancellationToken::new();
            gateway.serve_http(listener, Access::open(), stop).await?;
        } else {
            let endpoint = match option("--server") {
                Some(name) => Endpoint::One(name.parse()?),
                None => Endpoint::All,
            };
            let input = BufReader::with_capacity(64 << 10, standard_input());
            gateway
                .serve_stream(endpoint, Peer::named(None), input, standard_output())
                .await;
            gateway.stop().await;
        }
        Ok::<_, Box<dyn Error>>(())
    })?;
    runtime.shutdown_background();
    Ok(())
}
