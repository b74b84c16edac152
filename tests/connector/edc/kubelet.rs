//! The environment of a container, as the kubelet builds it (`pkg/kubelet/kubelet_pods.go` and
//! `third_party/forked/golang/expansion` of Kubernetes 1.36).

use std::collections::BTreeMap;

use super::Container;

/// The variables of a container whose namespace has these Secrets: first all keys of `envFrom`, then each variable of `env`
/// in its order, with the references to those before it replaced. A later one takes the place of an earlier one.
///
/// # Errors
///
/// The container is not started where a Secret is missing.
pub fn environment(
    container: &Container,
    secrets: &BTreeMap<String, BTreeMap<String, String>>,
) -> Result<BTreeMap<String, String>, String> {
    let mut variables = BTreeMap::new();
    for name in &container.env_from {
        let secret = secrets.get(name).ok_or_else(|| format!("secret {name:?} not found"))?;
        variables.extend(secret.clone());
    }
    for (name, value) in &container.env {
        let value = expand(value, &variables);
        variables.insert(name.clone(), value);
    }
    Ok(variables)
}

/// A value with its references replaced. `$$` is a dollar sign, and a reference to nothing is kept as it is.
fn expand(value: &str, variables: &BTreeMap<String, String>) -> String {
    let mut expanded = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        rest = after;
        if let Some(escaped) = after.strip_prefix('$') {
            expanded.push('$');
            rest = escaped;
        } else if let Some((name, behind)) = after.strip_prefix('(').and_then(|name| name.split_once(')')) {
            match variables.get(name) {
                Some(found) => expanded.push_str(found),
                None => expanded.extend(["$(", name, ")"]),
            }
            rest = behind;
        } else {
            expanded.push('$');
        }
    }
    expanded + rest
}

#[test]
fn references_are_replaced_as_the_kubelet_does_it() {
    let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let secrets = BTreeMap::from([
        ("one".to_owned(), BTreeMap::from([("client-id", "sa1"), ("A", "of one"), ("B", "$(A)")].map(text))),
        ("two".to_owned(), BTreeMap::from([("A", "of two")].map(text))),
    ]);
    let env = [
        ("ID", "$(client-id)"),
        ("A", "[$(A)]"),
        ("LATER", "$(A) $(LAST)"),
        ("LAST", "x"),
        ("B", "$(B)"),
        ("ESCAPED", "$$(A) $$$(LAST) $"),
        ("OPEN", "$(A"),
        ("SHELL", "${A} $A"),
    ];
    let container =
        Container { env_from: ["one", "two"].map(str::to_owned).into(), env: env.map(text).into() };
    let built = environment(&container, &secrets).unwrap();
    let wanted = [
        // The value of a Secret is not expanded, and the last one of a name counts.
        ("A", "[of two]"),
        ("B", "$(A)"),
        ("ESCAPED", "$(A) $x $"),
        ("ID", "sa1"),
        ("LAST", "x"),
        ("LATER", "[of two] $(LAST)"),
        ("OPEN", "$(A"),
        ("SHELL", "${A} $A"),
        ("client-id", "sa1"),
    ];
    assert_eq!(built, BTreeMap::from(wanted.map(text)));
    assert_eq!(environment(&container, &BTreeMap::new()), Err("secret \"one\" not found".to_owned()));
}
