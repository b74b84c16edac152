//! No secret value that the simulator ever handed out occurs in what the operator says.

use portal_simulator::Simulator;

/// Fails where one of the simulator's secrets occurs in a text, as it is or in base64.
pub fn assert_no_secret(simulator: &Simulator, what: &str, text: &str) {
    use base64::Engine as _;
    for secret in simulator.secrets_handed_out() {
        // A short one (a stub's client id, say) may occur by chance.
        if secret.len() < 8 {
            continue;
        }
        let encoded = base64::engine::general_purpose::STANDARD.encode(&secret);
        for form in [&secret, &encoded] {
            assert!(!text.contains(form.as_str()), "a secret occurs in {what}: …{}…", around(text, form));
        }
    }
}

fn around(text: &str, secret: &str) -> String {
    let line = text.lines().find(|line| line.contains(secret)).unwrap_or_default();
    line.replace(secret, "<the secret>").chars().take(600).collect()
}
