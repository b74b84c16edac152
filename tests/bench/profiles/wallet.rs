//! Users of the wallet service, for which the operator has to wait.

use portal_simulator::role_names::IDENTITY_WALLET_MANAGEMENT;

use crate::figures::Figures;
use crate::place::{Conditions, Place};
use crate::profiles::bulk;
use crate::settings::Settings;
use crate::users::Template;

pub async fn run(settings: &Settings) -> Figures {
    let place =
        Place::start(settings, Conditions { wallet_delay: settings.wallet_delay, ..Conditions::OPEN }).await;
    let template = Template::of_role(IDENTITY_WALLET_MANAGEMENT);
    let (mut figures, _watch) = bulk::create_users(&place, settings.fewer_users(), &template).await;
    figures.seconds("time that the wallet service takes for a user", settings.wallet_delay);
    figures
}
