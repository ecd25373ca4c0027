//! Contacts: made of the story's names and streets, and imported from CSV files as people do.

use audience::import::{self, Dedupe, ImportOptions, source};

use super::dice::Dice;
use super::people::Tenant;
use super::story::{Client, Region};
use super::{Demo, found};

/// The columns of the files, in words a CRM would use.
const HEADER: &str =
    "Customer No,First Name,Last Name,Email,Cell Phone,Street,City,State,ZIP,Do not contact,Lead Source";

/// Lines that no import can take: people shall see what a report looks like.
const BROKEN: &str = "\nTOTAL";

/// Imports every list of a client that is not there yet.
///
/// # Errors
/// When an import fails.
pub async fn import(demo: &Demo, told: &Client, tenant: &Tenant) -> anyhow::Result<()> {
    let mut first = 1;
    for list in &told.lists {
        let size = told.size_of(&list.name, demo.contacts);
        let least = i64::try_from(size)?;
        let there = found::id(&demo.scope(), &found::FULL_LIST, &[&tenant.id, &list.name, &least]).await?;
        if there.is_none() {
            let file = csv(demo, told, (&list.source, first..first + size));
            let options = ImportOptions {
                filename: format!("{}.csv", kernel::slug::slugify(&list.name)),
                list_name: Some(list.name.clone()),
                dedupe: Some(Dedupe::CustomerCode),
                ..ImportOptions::default()
            };
            let work = (options, source::bytes(file));
            import::run_now(&demo.app, &tenant.manager, tenant.id, work, |_| {}).await?;
        }
        first += size;
    }
    Ok(())
}

fn csv(demo: &Demo, told: &Client, (source, numbers): (&str, std::ops::Range<usize>)) -> String {
    let Some(region) = demo.story.regions.get(&told.region) else { return HEADER.to_owned() };
    let mut file = HEADER.to_owned();
    for number in numbers {
        file.push('\n');
        file.push_str(&row(demo, told, region, number));
        file.push(',');
        file.push_str(source);
    }
    file.push_str(BROKEN);
    file
}

/// One line without its last column. A few people have no street, no phone, no e-mail, or want no mail; a few
/// addresses bounce in the sandbox.
fn row(demo: &Demo, told: &Client, region: &Region, number: usize) -> String {
    let mut dice = Dice::of(&["contact", &told.name], number);
    let pick = |dice: &mut Dice, from: &[String]| dice.pick(from).cloned().unwrap_or_default();
    let first = pick(&mut dice, &demo.story.first_names);
    let last = pick(&mut dice, &demo.story.last_names);
    let code = format!("{}-{number:05}", prefix(&told.name));
    let email = email(&mut dice, &first, &last, number);
    let phone = phone(&mut dice, region, number);
    let street = pick(&mut dice, &demo.story.streets);
    let house = 10 + dice.below(1_900);
    let street = if dice.chance(2) { String::new() } else { format!("{house} {street}") };
    let (town, zip) = match dice.pick(&region.towns) {
        Some(town) => (town.name.clone(), pick(&mut dice, &town.zips)),
        None => Default::default(),
    };
    let stop = if dice.below(200) < 3 { "yes" } else { "" };
    [&code, &first, &last, &email, &phone, &street, &town, &region.state, &zip, stop].map(quoted).join(",")
}

fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

fn prefix(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphabetic).take(3).collect::<String>().to_uppercase()
}

fn email(dice: &mut Dice, first: &str, last: &str, number: usize) -> String {
    let name = kernel::slug::slugify(&format!("{first} {last}")).replace('-', ".");
    match dice.below(100) {
        0..12 => String::new(),
        12..16 => format!("bounce@{}-{number}.example", name.replace('.', "-")),
        _ => format!("{name}.{number}@example.com"),
    }
}

/// Numbers of the range that is kept free for stories: 555-0100 to 555-0199 of each area code.
fn phone(dice: &mut Dice, region: &Region, number: usize) -> String {
    let codes = region.area_codes.len().max(1);
    let area = region.area_codes.get(number % codes).map_or("614", String::as_str);
    match dice.below(100) {
        0..6 => String::new(),
        // the sandbox takes these and then reports them undelivered
        6..9 => format!("({area}) 555-0000"),
        _ => format!("({area}) 555-01{:02}", number / codes % 100),
    }
}
