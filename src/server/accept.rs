//! Which form of the metrics a client asks for (RFC 9110, section 12.5.1).

/// Forms that metrics are served in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Prometheus' text format 0.0.4, which every client understands.
    Classic,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
}

impl Form {
    /// `OpenMetrics` if the header names it and does not prefer plain text; else the classic form, also for clients that accept
    /// neither.
    pub(super) fn asked_for<'a>(accept: impl IntoIterator<Item = &'a str>) -> Self {
        let ranges: Vec<Range> =
            accept.into_iter().flat_map(|header| header.split(',')).filter_map(Range::read).collect();
        let open_metrics = ranges.iter().filter(|range| range.is_open_metrics()).map(|range| range.quality);
        let best = open_metrics.max().unwrap_or_default();
        let text = ["text/plain", "text/*", "*/*"].iter().find_map(|media_type| {
            let same = ranges.iter().filter(|range| range.media_type == *media_type);
            same.map(|range| range.quality).max()
        });
        if best > 0 && best >= text.unwrap_or_default() { Self::OpenMetrics } else { Self::Classic }
    }

    /// The content type.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// One media range of the header.
struct Range {
    media_type: String,
    version: Option<String>,
    /// In thousandths.
    quality: u16,
}

impl Range {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
        let mut range =
            Self { media_type: parts.next().filter(|part| !part.is_empty())?, version: None, quality: 1000 };
        for part in parts {
            match part.split_once('=').map(|(name, value)| (name.trim(), value.trim())) {
                Some(("q", value)) => range.quality = quality(value)?,
                Some(("version", value)) => range.version = Some(value.trim_matches('"').to_owned()),
                _ => {}
            }
        }
        Some(range)
    }

    fn is_open_metrics(&self) -> bool {
        self.media_type == "application/openmetrics-text"
            && self.version.as_deref().is_none_or(|version| version == "1.0.0")
    }
}

/// A quality between 0 and 1, in thousandths; `None` if it is not valid.
fn quality(text: &str) -> Option<u16> {
    let value: f64 = text.parse().ok().filter(|value| (0.0..=1.0).contains(value))?;
    // In this range the conversion is exact.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
    Some((value * 1000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_for_those_who_ask_for_it() {
        for (accept, form) in [
            // No header, curl, a browser.
            ("", Form::Classic),
            ("*/*", Form::Classic),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Form::Classic),
            // Prometheus 2.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Form::OpenMetrics,
            ),
            // Prometheus 2 before 2.35.
            (
                "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Form::Classic,
            ),
            // Prometheus 3, without and with protobuf.
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                 application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Form::OpenMetrics,
            ),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,\
                 application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Form::OpenMetrics,
            ),
            // Prometheus 3 with fallback to text by its configuration, and the agent of another vendor.
            ("text/plain;version=0.0.4;q=0.6,*/*;q=0.5", Form::Classic),
            ("text/plain;version=0.0.4;q=1,*/*;q=0.1", Form::Classic),
            ("application/openmetrics-text", Form::OpenMetrics),
            ("Application/OpenMetrics-Text; Version=\"1.0.0\"; Q=0.5", Form::OpenMetrics),
            ("application/openmetrics-text;q=0", Form::Classic),
            ("application/openmetrics-text;q=0.4,text/plain;q=0.5", Form::Classic),
            ("application/openmetrics-text;q=0.5,text/plain;q=0.5", Form::OpenMetrics),
            ("application/openmetrics-text;q=0.5,*/*;q=0.8", Form::Classic),
            ("application/openmetrics-text;q=2", Form::Classic),
            ("application/json", Form::Classic),
        ] {
            assert_eq!(Form::asked_for([accept]), form, "{accept}");
        }
        let both = ["text/plain;q=0.5", "application/openmetrics-text"];
        assert_eq!(Form::asked_for(both), Form::OpenMetrics, "in two headers");
    }
}
