//! Addresses that stand in one cell.

use kernel::postal;

use super::super::field::Field;
use super::super::plan::Plan;
use super::super::prepared::Prepared;
use super::super::rows::Row;

/// Puts an address together that stands line by line in columns of its own, as QuickBooks writes it: `Bill to 1` is who lives
/// there, the lines with a number are where.
pub(super) fn join(prepared: &mut Prepared, plan: &Plan, row: &Row<'_>) {
    if plan.address_lines.is_empty() || !prepared.text(Field::Address).is_empty() {
        return;
    }
    let lines = plan.address_lines.iter().map(|column| row.cell(*column).trim()).filter(|line| !line.is_empty());
    let lines: Vec<&str> = lines.skip_while(|line| !line.contains(|c: char| c.is_ascii_digit())).collect();
    if lines.len() > 1 {
        prepared.set(Field::Address, lines.join("\n"));
    }
}

/// An address in one cell, where the row has no city, state and ZIP code of its own. Whose it is stands in the name. True
/// where there is a whole address, and nobody can tell where its city begins.
pub(super) fn split(prepared: &mut Prepared) -> bool {
    let whole = prepared.text(Field::Address).to_owned();
    if [Field::City, Field::State, Field::Zip].iter().any(|field| !prepared.text(*field).is_empty()) {
        if let Some((street, rest)) = whole.split_once('\n').filter(|_| prepared.text(Field::Address2).is_empty()) {
            let rest: Vec<&str> = rest.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            prepared.set(Field::Address, street.trim().to_owned());
            prepared.set(Field::Address2, rest.join(", "));
        }
        return false;
    }
    let Some(parts) = postal::parts(&whole) else { return postal::ends_in_zip(&whole) };
    let own = [prepared.shown_name(), prepared.text(Field::Company).to_owned()];
    let rest = Some(parts.street2).filter(|line| !own.iter().any(|own| own.eq_ignore_ascii_case(line)));
    let second = [rest.unwrap_or_default(), prepared.text(Field::Address2).to_owned()];
    let second: Vec<String> = second.into_iter().filter(|line| !line.is_empty()).collect();
    prepared.set(Field::Address2, second.join(", "));
    prepared.set(Field::Address, parts.street);
    prepared.set(Field::City, parts.city);
    prepared.set(Field::State, parts.state);
    prepared.set(Field::Zip, parts.zip);
    false
}
