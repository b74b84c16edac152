//! Format `VaultJson`: the client secret as a connector expects it in Vault, for people who load Vault themselves.

use secrecy::ExposeSecret;

use super::entry::{Entry, Named, Reader};
use super::quote;
use super::text::SecretText;
use super::values::{Content, Values};

const ENTRY_FILE: &str = "content.json";
const BODY_FILE: &str = "kv2.json";

/// The format.
pub(super) const ENTRY: Entry = Entry {
    name: "VaultJson",
    keys: &[ENTRY_FILE, BODY_FILE],
    optional: &[],
    needs: &[],
    uses: |_| Vec::new(),
    named: Named::Renamed,
    has_secret: true,
    reader: Reader {
        who: "`vault kv put … @content.json`, a PushSecret without `property`; `kv2.json` is the body of an HTTP write",
        change: "when it is copied again",
        needs_restart: false,
    },
    render: |values, _| Ok(vault_json(values)),
    read_back: None,
};

fn vault_json(values: &Values) -> Content {
    let secret = values.credential.secret().expose_secret();
    let around = |before: &str, after: &str| {
        let mut text = SecretText::new();
        text.push(before);
        quote::json(&mut text, secret);
        text.push(after);
        text.finish()
    };
    Content::from([
        (ENTRY_FILE.to_owned(), around(r#"{"content":"#, "}")),
        (BODY_FILE.to_owned(), around(r#"{"data":{"content":"#, "}}")),
    ])
}
