//! The colour a form's page stands on, as a style sheet of its own: pages for strangers have no inline style.

/// Where the sheet of a colour such as `#f0fdfa` is; `None` for no colour.
pub fn url(colour: &str) -> Option<String> {
    let hex = colour.strip_prefix('#')?.to_ascii_lowercase();
    content::forms::is_colour(colour).then(|| format!("/p/ground-{hex}.css"))
}

/// The sheet called `ground-f0fdfa.css`. Text stays on white; what stands on the ground itself is black or white.
pub fn css(file: &str) -> Option<String> {
    let hex = file.strip_prefix("ground-")?.strip_suffix(".css")?;
    let colour = format!("#{hex}");
    if !content::forms::is_colour(&colour) {
        return None;
    }
    let brightness = brightness(hex)?;
    if brightness == 255 {
        // A white sheet on white needs no edges.
        return Some("body{background:#fff}".to_owned());
    }
    let ink = if brightness > 140 { "#111827" } else { "#fff" };
    Some(format!(
        "body{{background:{colour}}}footer{{color:{ink}}}\
         @media (max-width:40rem){{main{{width:auto;margin:1rem;padding:1.5rem 1.25rem;border-radius:16px;background:#fff;flex:none}}}}"
    ))
}

/// How bright a colour looks, 0 to 255.
fn brightness(hex: &str) -> Option<u32> {
    let part = |from: usize| u32::from_str_radix(hex.get(from..from + 2)?, 16).ok();
    Some((299 * part(0)? + 587 * part(2)? + 114 * part(4)?) / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ground_gets_ink_that_reads_on_it_and_nothing_else_becomes_a_style() {
        assert_eq!(url("#F0FDFA").as_deref(), Some("/p/ground-f0fdfa.css"));
        assert_eq!((url(""), url("#fff"), url("red")), (None, None, None));
        assert!(css("ground-f0fdfa.css").unwrap().starts_with("body{background:#f0fdfa}footer{color:#111827}"));
        assert!(css("ground-0f172a.css").unwrap().contains("footer{color:#fff}"));
        assert_eq!(css("ground-ffffff.css").as_deref(), Some("body{background:#fff}"));
        for wrong in ["ground-fff;}a{.css", "ground-.css", "ground-f0fdfa", "f0fdfa.css", "ground-ééé.css"] {
            assert_eq!(css(wrong), None, "{wrong}");
        }
    }
}
