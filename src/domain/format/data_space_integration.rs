//! Format `DataSpaceIntegration`: a worksheet for the person who fills in the onboarding form of SAP's Data Space
//! Integration. No interface takes these values, so a person types them.

use std::fmt::Write as _;

use secrecy::ExposeSecret;

use super::entry::{Entry, Named, Reader};
use super::error::{FormatError, Value};
use super::text::SecretText;
use super::values::{Content, Values};
use crate::domain::user::UserKind;

const FILE: &str = "worksheet.txt";

/// The format.
pub(super) const ENTRY: Entry = Entry {
    name: "DataSpaceIntegration",
    keys: &[FILE],
    optional: &[],
    needs: &[Value::Bpn],
    uses: |_| vec![Value::Did, Value::WalletUrl, Value::BdrsUrl, Value::TrustedIssuers],
    named: Named::Renamed,
    has_secret: true,
    reader: Reader {
        who: "a person with the role collection `DataspaceTechnicalAdmin`",
        change: "when the person types it in again",
        needs_restart: false,
    },
    render: |values, _| worksheet(values),
    read_back: None,
};

/// What fills a field: a value of this user, or a person who has it from somewhere else.
enum Field<'a> {
    Copy(&'static str, &'a str),
    Ask(&'static str, &'static str),
    Heading(&'static str),
    Say(&'static str),
}

/// The form from top to bottom. It has fields of two technical users; this worksheet has the values of one of them.
fn worksheet(values: &Values) -> Result<Content, FormatError> {
    let fields = [first_tab(values)?, connector_user(values), wallet_user(values), other_tabs()];
    let mut text = SecretText::new();
    text.push("Onboarding form of SAP Integration Suite: Settings > Data Spaces > Onboard\n");
    text.push("= copy the value exactly; ? the person who fills in the form knows or chooses it");
    for field in fields.iter().flatten() {
        let _ = match field {
            Field::Copy(name, value) => {
                is_visible(name, value)?;
                write!(text, "\n= {name}: {value}")
            }
            Field::Ask(name, from) => write!(text, "\n? {name}: ({from})"),
            Field::Heading(title) => write!(text, "\n\n{title}"),
            Field::Say(words) => write!(text, "\n  {words}"),
        };
    }
    Ok(Content::from([(FILE.to_owned(), text.finish())]))
}

fn first_tab(values: &Values) -> Result<Vec<Field<'_>>, FormatError> {
    use Field::{Ask, Copy, Heading};
    Ok(vec![
        Heading("1. Connect to a Data Space"),
        Ask("Landscape", "the data space whose portal has this technical user"),
        Copy("Business Partner Number", values.need(Value::Bpn)?),
        Ask("Connector Name", "choose a name"),
        Ask("Connector URL", "default or custom; partners call it with /api/v1/dsp at its end"),
    ])
}

/// The user of the central identity provider, with the role Connector Management.
fn connector_user(values: &Values) -> Vec<Field<'_>> {
    use Field::{Ask, Copy, Heading};
    let heading = Heading("1.1 Offer Management User (role Connector Management, formerly Offer Management)");
    if values.kind == UserKind::External {
        let from = "worksheet of the TechnicalUser with the role Connector Management";
        return vec![heading, Ask("Client ID", from), Ask("Client Secret", from)];
    }
    let credential = &values.credential;
    vec![
        heading,
        Copy("Client ID", &credential.client_id),
        Copy("Client Secret", credential.secret().expose_secret()),
    ]
}

/// The user of the wallet service, with the role Identity Wallet Management.
fn wallet_user(values: &Values) -> Vec<Field<'_>> {
    use Field::{Ask, Copy, Heading, Say};
    let mut fields = vec![Heading("1.2 Identity Wallet Management")];
    if values.kind == UserKind::Internal {
        let from = "worksheet of the TechnicalUser with the role Identity Wallet Management";
        let names = ["Wallet", "IATP STS OAuth Token URL", "Client ID", "Client Secret"];
        fields.extend(names.map(|name| Ask(name, from)));
    } else {
        let credential = &values.credential;
        let around = &values.surroundings;
        fields.extend([
            Ask("Wallet", "Landscape Portal, unless the company has a wallet of its own"),
            Copy("IATP STS OAuth Token URL", &credential.token_url),
            Copy("Client ID", &credential.client_id),
            Copy("Client Secret", credential.secret().expose_secret()),
        ]);
        let known = [("DID", &around.did), ("DIM URL", &around.wallet_url), ("BDRS URL", &around.bdrs_url)];
        let known = known.into_iter().filter_map(|(name, value)| Some(Copy(name, value.as_deref()?)));
        let issuers = around.trusted_issuers.iter().map(|issuer| Copy("Trusted issuer", issuer));
        let third_party: Vec<_> = known.chain(issuers).collect();
        if !third_party.is_empty() {
            fields.push(Say("Only for a wallet of a third party:"));
            fields.extend(third_party);
        }
    }
    fields.push(Say("Save. The control plane restarts, which takes about 5 minutes."));
    fields
}

fn other_tabs() -> Vec<Field<'static>> {
    use Field::{Ask, Heading, Say};
    vec![
        Heading("2. Prepare Connection to Cloud Integration"),
        Ask("API Parameters", "service key of Process Integration Runtime, plan api; Paste Service Key"),
        Ask(
            "Runtime Parameters",
            "service key of Process Integration Runtime, plan integration-flow; Paste Service Key",
        ),
        Say("Save. This takes about 5 minutes."),
        Heading("3. Onboard the Data Plane"),
        Say("Start it. It ends with Success or Error, after up to 20 minutes."),
    ]
}

/// A person can copy only what is visible.
fn is_visible(name: &'static str, value: &str) -> Result<(), FormatError> {
    if value.trim() == value && !value.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(FormatError::Unwritable {
            value: name,
            why: "it has spaces at an end or control characters, which a person cannot see",
        })
    }
}
