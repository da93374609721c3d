//! Passes requests on to servers, in the language that each of them speaks.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use mcplexer_files::config::ServerName;
use tokio::sync::SemaphorePermit;

use crate::calls::About;
use crate::dialect::Era;
use crate::error::CallError;
use crate::foreign::secret_of_another;
use crate::hub::Hub;
use crate::instance::{Answer, Instance};
use crate::json::Splices;
use crate::lists::is_list;
use crate::message::Message;
use crate::server::Server;
use crate::session::Route;
use crate::{bridge, parked};

/// Passes a request on to a server. A server that ended before it got the request is started again, once; so is one
/// that ended before it answered, if asking twice does no harm.
pub(crate) async fn forward(
    hub: &Arc<Hub>,
    server: &Arc<Server>,
    route: &Route,
    method: &str,
    message: &Message,
    splices: impl Fn() -> Splices,
) -> Result<Answer, CallError> {
    let again = match attempt(hub, server, route, method, message, &splices).await {
        Err(error @ CallError::Unsent { .. }) => error,
        Err(error @ CallError::Lost { .. }) if is_harmless(method) => error,
        other => return other,
    };
    match attempt(hub, server, route, method, message, &splices).await {
        Err(CallError::Unsent { .. } | CallError::Lost { .. }) => Err(again),
        other => other,
    }
}

/// Answers a request whose server is known, and cannot be asked: it is recorded as one that was passed on.
pub(crate) async fn fail(
    hub: &Arc<Hub>,
    server: &Arc<Server>,
    route: &Route,
    method: &str,
    message: &Message,
    splices: &Splices,
    error: CallError,
) -> Result<Answer, CallError> {
    let known_to = hub.running();
    let recorded = hub.calls().begin(About {
        actor: &route.session.actor,
        server: server.name.as_str(),
        method,
        message,
        splices,
        secrets: None,
        known_to: &known_to,
        is_refused: false,
    });
    let answer = Err(error);
    if let Some(recorded) = recorded.await? {
        recorded.finish(&answer);
    }
    answer
}

/// Records a request that names what a server does not have, or what is of no server: nobody is asked. Without a server, the log has an
/// empty name: one that the client made up tells nothing, and there are any number of those.
pub(crate) async fn refuse(
    hub: &Arc<Hub>,
    server: Option<&ServerName>,
    route: &Route,
    method: &str,
    message: &Message,
    splices: &Splices,
) -> Result<(), CallError> {
    let known_to = hub.running();
    let recorded = hub.calls().begin(About {
        actor: &route.session.actor,
        server: server.map_or("", ServerName::as_str),
        method,
        message,
        splices,
        secrets: None,
        known_to: &known_to,
        // Not searched for a value.
        is_refused: true,
    });
    if let Some(recorded) = recorded.await? {
        recorded.refuse();
    }
    Ok(())
}

async fn attempt(
    hub: &Arc<Hub>,
    server: &Arc<Server>,
    route: &Route,
    method: &str,
    message: &Message,
    splices: &impl Fn() -> Splices,
) -> Result<Answer, CallError> {
    // What few requests need takes no room in the others.
    if message.param(&["requestState"]).is_some()
        && let Some(resumed) = Box::pin(parked::resume(hub, route, message)).await
    {
        return resumed;
    }
    let served = match unless_cancelled(route, server.instance(route)).await {
        Ok(served) => served,
        Err(cancelled) => Err(cancelled),
    };
    let turn = match served {
        Ok(_) => route.session.turn(message.text()).await,
        Err(_) => None,
    };
    let known_to = hub.running();
    let own = served.as_ref().ok();
    // All of it goes there: the method and the members beside the parameters, too.
    let foreign = match own {
        Some(own) => {
            let search = secret_of_another(&known_to, &own.instance, message.text());
            unless_cancelled(route, search).await
        }
        None => Ok(None),
    };
    let spliced = splices();
    let used = served.as_ref().ok().map(|it| it.instance.used());
    let recorded = hub.calls().begin(About {
        actor: &route.session.actor,
        server: server.name.as_str(),
        method,
        message,
        splices: &spliced,
        secrets: used.as_ref(),
        known_to: &known_to,
        is_refused: !matches!(foreign, Ok(None)),
    });
    let recorded = recorded.await?;
    let server = server.name.clone();
    let answer = match served {
        Ok(served) => match foreign {
            Err(cancelled) => Err(cancelled),
            Ok(Some(secret)) => Err(CallError::Foreign { server, secret }),
            Ok(None) if route.is_modern() && served.instance.era() == Era::Legacy => {
                // It has not ended when it is parked.
                let exchange = parked::exchange(hub, served, recorded, route, message, splices());
                return begun(Box::pin(exchange), turn).await;
            }
            Ok(None) => {
                begun(
                    pin!(pass(hub, &served.instance, route, message, splices)),
                    turn,
                )
                .await
            }
        },
        Err(error) => Err(error),
    };
    if let Some(recorded) = recorded {
        recorded.finish(&answer);
    }
    answer
}

/// Does something for a request, unless that is cancelled first.
async fn unless_cancelled<T>(route: &Route, work: impl Future<Output = T>) -> Result<T, CallError> {
    tokio::select! {
        biased;
        done = work => Ok(done),
        () = route.cancel.cancelled() => Err(CallError::Cancelled),
    }
}

/// Ends a turn once the exchange has begun: its request is in the server's queue, or in the line for a place in that.
async fn begun<T>(
    mut exchange: impl Future<Output = T> + Unpin,
    turn: Option<SemaphorePermit<'_>>,
) -> T {
    let first = poll_fn(|context| Poll::Ready(Pin::new(&mut exchange).poll(context))).await;
    drop(turn);
    match first {
        Poll::Ready(done) => done,
        Poll::Pending => exchange.await,
    }
}

async fn pass(
    hub: &Arc<Hub>,
    instance: &Arc<Instance>,
    route: &Route,
    message: &Message,
    splices: &impl Fn() -> Splices,
) -> Result<Answer, CallError> {
    match (route.is_modern(), instance.era()) {
        (false, Era::Modern) => {
            Box::pin(bridge::exchange(hub, instance, route, message, splices)).await
        }
        _ => {
            let route = Some(route.clone());
            instance.request(message, splices(), route).await
        }
    }
}

/// Whether a request only reads.
fn is_harmless(method: &str) -> bool {
    is_list(method)
        || matches!(
            method,
            "ping" | "resources/read" | "prompts/get" | "completion/complete"
        )
}
