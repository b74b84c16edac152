//! Proves by a few pages of the user list that no name begins in a certain way. All users that a scan shows count.

use parking_lot::Mutex;

use super::client::Client;
use super::scan::{Filter, Pages, PortalPages};
use super::version::VersionRange;
use crate::portal::absence::{Answer, Order, Outcome, Walk};
use crate::portal::{Absence, Lane, PortalError};

/// Whether no user has a name with this beginning, in a list of about so many users.
pub(super) async fn by_pages(
    client: &Client,
    version: VersionRange,
    wanted: (&str, u64),
    lane: Lane,
) -> Result<Absence, PortalError> {
    prove_absent(&PortalPages { client, version, lane }, &client.order, wanted).await
}

/// Reads the pages that a bisection asks for, until it ends.
pub(crate) async fn prove_absent(
    pages: &impl Pages,
    order: &Mutex<Order>,
    (beginning, users): (&str, u64),
) -> Result<Absence, PortalError> {
    let mut walk = Walk::new(beginning, users);
    let mut outcome = None;
    while let (None, Some(asked)) = (outcome, walk.next()) {
        let (size, number) = asked;
        let page = pages.page(number, size, Filter::All).await?;
        let known = {
            let mut order = order.lock();
            order.learn(&page.leads);
            *order
        };
        outcome =
            walk.take(asked, Answer { leads: &page.leads, total: page.total, pages: page.pages }, &known);
    }
    tracing::debug!(?outcome, pages_read = walk.pages(), "Looked for a name in the user list");
    Ok(Absence { is_proved: outcome == Some(Outcome::Absent), pages: walk.pages() })
}
