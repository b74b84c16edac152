use super::*;

#[test]
fn every_series_is_there_from_the_start() {
    let text = Metrics::default().encode();
    for line in [
        "tuo_reconciles_total{kind=\"technical_user\",outcome=\"unchanged\"} 0",
        "tuo_reconcile_duration_seconds_count{kind=\"portal\"} 0",
        "tuo_objects_in_backoff{kind=\"portal\"} 0",
        "tuo_objects_in_backoff{kind=\"technical_user\"} 0",
        "tuo_portal_calls_total{server=\"portal\",operation=\"create\",outcome=\"unreachable\"} 0",
        "tuo_portal_calls_total{server=\"wallet\",operation=\"verify\",outcome=\"ok\"} 0",
        "tuo_portal_circuit_open{server=\"portal\"} 0",
        "tuo_portal_circuit_open{server=\"wallet\"} 0",
        "tuo_portal_sweeps_total{outcome=\"error\"} 0",
        "tuo_technical_users{state=\"stalled\"} 0",
        "tuo_credentials_verified_total{outcome=\"refused\"} 0",
        "tuo_events_dropped_total 0",
        "tuo_searches 0",
        "tuo_searches_waiting 0",
        "tuo_search_pages 0",
        "tuo_statuses_not_written_total 0",
        "tuo_leader 0",
        "tuo_namespaces_unwatched 0",
        "tuo_build_info{version=",
    ] {
        assert!(text.contains(line), "{line} in:\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn clones_count_together() {
    let metrics = Metrics::default();
    let other = metrics.clone();
    let took = Duration::from_millis(200);
    other.reconciled(Kind::Portal, Reconciled::Changed, took);
    other.portal_called(Server::Portal, Operation::Details, Outcome::Refused, took);
    other.portal_circuit(Server::Wallet, true);
    other.portal_circuit(Server::Wallet, true);
    other.portal_circuit(Server::Wallet, false);
    let now = "2026-11-26T12:00:00Z".parse().unwrap();
    other.portal_swept("dataspace", "one", Sweep::Ok, now);
    other.portal_swept("dataspace", "two", Sweep::Ok, now);
    other.portal_gone("dataspace", "two");
    other.technical_users(UserState::Ready, 7);
    other.credential_verified(Verified::Accepted);
    other.objects_in_backoff(Kind::TechnicalUser, 3);
    other.leader(true);
    let text = metrics.encode();
    for line in [
        "tuo_reconciles_total{kind=\"portal\",outcome=\"changed\"} 1",
        "tuo_reconcile_duration_seconds_bucket{le=\"0.25\",kind=\"portal\"} 1",
        "tuo_portal_calls_total{server=\"portal\",operation=\"details\",outcome=\"refused\"} 1",
        "tuo_portal_call_duration_seconds_sum{server=\"portal\",operation=\"details\"} 0.2",
        "tuo_portal_circuit_open{server=\"wallet\"} 1",
        "tuo_portal_circuit_open{server=\"portal\"} 0",
        "tuo_portal_sweeps_total{outcome=\"ok\"} 2",
        "tuo_technical_users{state=\"ready\"} 7",
        "tuo_credentials_verified_total{outcome=\"accepted\"} 1",
        "tuo_objects_in_backoff{kind=\"technical_user\"} 3",
        "tuo_leader 1",
    ] {
        assert!(text.contains(line), "{line} in:\n{text}");
    }
    let swept: Vec<_> =
        text.lines().filter(|line| line.starts_with("tuo_portal_last_sweep_timestamp_seconds{")).collect();
    assert_eq!(swept.len(), 1, "one for each Portal that is there: {text}");
    assert!(swept[0].contains("{portal_namespace=\"dataspace\",portal=\"one\"} 1"), "{}", swept[0]);
}

#[test]
fn the_classic_format_has_the_same_samples() {
    let metrics = Metrics::default();
    let samples = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    let classic = metrics.encode_classic();
    assert_eq!(samples(&classic), samples(&metrics.encode()));
    for line in
        ["# TYPE tuo_reconciles_total counter", "# TYPE tuo_build_info gauge", "# TYPE tuo_leader gauge"]
    {
        assert!(classic.lines().any(|found| found == line), "{line} in:\n{classic}");
    }
    assert!(!classic.contains("# UNIT") && !classic.contains("# EOF"));
}

#[test]
fn the_ages_of_a_portal_go_with_it() {
    let metrics = Metrics::default();
    let of = |portal: &str| ("dataspace".to_owned(), portal.to_owned());
    let ages = PortalAges { credential: Some(60.0), next_rotation: Some(-5.0), ..PortalAges::default() };
    metrics.portal_ages([(of("one"), ages), (of("two"), ages)]);
    metrics.portal_ages([(of("two"), PortalAges { login: Some(7.0), credential: None, ..ages })]);
    let text = metrics.encode();
    let shown: Vec<_> = text.lines().filter(|line| line.contains("_seconds{portal_namespace=")).collect();
    let labels = "{portal_namespace=\"dataspace\",portal=\"two\"}";
    let expected = [
        format!("tuo_portal_login_age_seconds{labels} 7.0"),
        format!("tuo_portal_next_rotation_seconds{labels} -5.0"),
    ];
    assert_eq!(shown, expected);
}
