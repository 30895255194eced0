//! The report as a picture: a bar for each row, shorter is quicker.
//!
//! What enters: a [`Report`]. What leaves: an SVG document that needs no font and no script.

use std::fmt::Write;

use super::{Report, YARDSTICK};

const ROW: usize = 26;
const TOP: usize = 66;
const LABELS: usize = 400;
const BARS: usize = 400;
const WIDTH: usize = LABELS + BARS + 150;
const OWN: &str = "#2a6fb0";
const OTHER: &str = "#9aa3ab";

/// The bar chart of a report's rows.
pub fn svg(report: &Report) -> String {
    let height = TOP + ROW * report.rows.len() + 44;
    let longest = report.rows.iter().map(|row| row.ns_per_pixel).fold(f64::MIN_POSITIVE, f64::max);
    let length = |ns: f64| BARS as f64 * ns / longest;
    let bottom = height - 34;
    let mut out = String::new();
    let mut line = |text: std::fmt::Arguments<'_>| {
        // Writing to a string does not fail.
        let _ = out.write_fmt(format_args!("{text}\n"));
    };
    line(format_args!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13" fill="#222">"##
    ));
    line(format_args!(r##"<rect width="{WIDTH}" height="{height}" fill="#fff"/>"##));
    line(format_args!(
        r#"<text x="20" y="28" font-size="17" font-weight="bold">Nanoseconds for one luma pixel of a JPEG</text>"#
    ));
    line(format_args!(r#"<text x="20" y="48">{}</text>"#, escaped(&subtitle(report))));
    if let Some(yardstick) = report.rows.iter().find(|row| row.id == YARDSTICK && report.libjpeg_simd) {
        let x = LABELS as f64 + length(yardstick.ns_per_pixel);
        line(format_args!(
            r##"<line x1="{x:.1}" y1="{TOP}" x2="{x:.1}" y2="{bottom}" stroke="#c0392b" stroke-dasharray="4 3"/>"##
        ));
    }
    for (index, row) in report.rows.iter().enumerate() {
        let y = TOP + ROW * index;
        let (bar, text) = (length(row.ns_per_pixel), y + 17);
        let colour = if row.own { OWN } else { OTHER };
        line(format_args!(r#"<text x="{}" y="{text}" text-anchor="end">{}</text>"#, LABELS - 8, escaped(row.name)));
        line(format_args!(
            r#"<rect x="{LABELS}" y="{}" width="{bar:.1}" height="{}" fill="{colour}"/>"#,
            y + 4,
            ROW - 8
        ));
        let speed = row.speed_vs_libjpeg.map_or(String::new(), |speed| format!("  ({speed:.2}x)"));
        line(format_args!(
            r##"<text x="{:.1}" y="{text}" stroke="#fff" stroke-width="4" paint-order="stroke">{:.2}{speed}</text>"##,
            LABELS as f64 + bar + 6.0,
            row.ns_per_pixel
        ));
    }
    line(format_args!(
        r#"<text x="20" y="{}" font-size="12"><tspan fill="{OWN}">&#9632;</tspan> jpegdct  <tspan fill="{OTHER}">&#9632;</tspan> others; {}</text>"#,
        height - 14,
        if report.libjpeg_simd {
            "in brackets: speed relative to libjpeg's coefficients (dashed)"
        } else {
            "libjpeg has no SIMD here and is no baseline"
        }
    ));
    line(format_args!("</svg>"));
    out
}

fn subtitle(report: &Report) -> String {
    format!(
        "{} images, {:.1} million pixels, {:.1} MB; medians of {} interleaved repeats, {}, jpegdct {}{}",
        report.images,
        report.luma_pixels as f64 / 1e6,
        report.bytes as f64 / 1e6,
        report.repeats,
        report.clock,
        report.jpegdct_version,
        if report.optimised { "" } else { ", NOT OPTIMISED" },
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
