//! Drawing a QR: level Q (a quarter of it may be scratched or folded) inside a quiet zone of four modules.

use fast_qr::convert::Builder;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder, QRCode};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use kernel::{Error, Result};

/// The white margin the standard asks for, in modules.
const QUIET_ZONE: usize = 4;
/// Dots along one module of the PNG: 300 dpi at the usual inch.
const SCALE: usize = 8;

/// The QR of `text` as SVG.
///
/// # Errors
/// `Internal` when the text is too long for any QR.
pub fn svg(text: &str) -> Result<String> {
    Ok(SvgBuilder::default().margin(QUIET_ZONE).to_str(&code(text)?))
}

/// The QR of `text` as PNG.
///
/// # Errors
/// `Internal` when the text is too long for any QR.
pub fn png(text: &str) -> Result<Vec<u8>> {
    let code = code(text)?;
    let side = (code.size + 2 * QUIET_ZONE) * SCALE;
    let side = u32::try_from(side).map_err(Error::internal)?;
    let picture = GrayImage::from_fn(side, side, |x, y| Luma([if dark(&code, x, y) { 0 } else { 255 }]));
    let mut png = std::io::Cursor::new(Vec::new());
    DynamicImage::ImageLuma8(picture).write_to(&mut png, ImageFormat::Png).map_err(Error::internal)?;
    Ok(png.into_inner())
}

fn code(text: &str) -> Result<QRCode> {
    QRBuilder::new(text).ecl(ECL::Q).build().map_err(Error::internal)
}

/// Whether the dot is inside a dark module; the quiet zone is not.
fn dark(code: &QRCode, x: u32, y: u32) -> bool {
    let module = |dot: u32| (dot as usize / SCALE).checked_sub(QUIET_ZONE).filter(|at| *at < code.size);
    matches!((module(x), module(y)), (Some(x), Some(y)) if code[y][x].value())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://ace.example.com/q/7K2M9QRX4T";

    #[test]
    fn a_decoder_reads_the_png_back_at_level_q_and_the_margin_is_white() {
        let picture = image::load_from_memory(&png(LINK).unwrap()).unwrap().to_luma8();
        let edge = u32::try_from(QUIET_ZONE * SCALE).unwrap();
        assert!(
            picture.enumerate_pixels().filter(|(x, y, _)| *x < edge || *y < edge).all(|(_, _, dot)| dot.0 == [255])
        );
        let mut prepared = rqrr::PreparedImage::prepare(picture);
        let grids = prepared.detect_grids();
        let (meta, content) = grids[0].decode().unwrap();
        assert_eq!(content, LINK);
        // rqrr gives the two bits of the format word: 3 is Q
        assert_eq!(meta.ecc_level, 3);
    }

    #[test]
    fn the_svg_has_the_quiet_zone_and_nothing_that_runs_and_too_long_a_text_is_refused() {
        let svg = svg(LINK).unwrap();
        let size = code(LINK).unwrap().size + 2 * QUIET_ZONE;
        assert!(svg.starts_with(&format!("<svg viewBox=\"0 0 {size} {size}\"")), "{svg:.80}");
        assert!(!svg.contains("<script") && !svg.contains("href"));
        assert!(png(&"x".repeat(5_000)).is_err());
    }
}
