//! The wizard's step between file and preview: which field each column is.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::Error;
use web::view::{Choice, FieldErrors, StepState, Steps};
use web::{App, Caller, Form, Path, Result, Shell, redirect, redirect_with, render, render_with};

use super::imports::{frame, steps};
use super::{Id, some};
use crate::import::{self, Field, ImportOptions, Plan, Preview, Target};
use crate::store::imports::{self as store, Import};

/// One column in the wizard.
struct Column {
    name: String,
    field: String,
    target: String,
    confidence: u8,
    sample: String,
    /// Its own custom field, and another one the user gave it.
    custom: Vec<Choice>,
    /// Whether only a person can tell what it is.
    asked: bool,
}

#[derive(Template)]
#[template(path = "imports/columns.html")]
struct ColumnsPage {
    shell: Shell,
    steps: Steps,
    errors: FieldErrors,
    action: String,
    columns: Vec<Column>,
    targets: Vec<Choice>,
    form: Chosen,
    layout: String,
    notes: Vec<String>,
    questions: Vec<String>,
    /// What was said of everybody in a file that is called like people who refused.
    everybody: Option<String>,
}

/// The choices that are not about one column.
#[derive(Debug, Clone)]
struct Chosen {
    list_name: String,
    dedupe: String,
    on_duplicate: String,
    header: String,
    first_line: String,
}

impl Chosen {
    fn of(plan: &Plan) -> Self {
        Self {
            list_name: plan.list_name.clone(),
            dedupe: plan.dedupe.word().into(),
            on_duplicate: plan.on_duplicate.word().into(),
            header: if plan.has_header { "yes" } else { "no" }.into(),
            first_line: plan.first_line.max(1).to_string(),
        }
    }
}

pub async fn show(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Response> {
    let import = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    if import.status != "mapping" {
        return Ok(redirect(&Shell::new(&caller, "").at(&format!("imports/{id}"))));
    }
    let (plan, preview) = import::preview(&app, &caller.actor, (import.client_id, id)).await?;
    let form = Chosen::of(&plan);
    render(&columns_page(&caller, &import, (&plan, &preview), form, FieldErrors::none()))
}

fn columns_page(
    caller: &Caller,
    import: &Import,
    (plan, preview): (&Plan, &Preview),
    form: Chosen,
    errors: FieldErrors,
) -> ColumnsPage {
    let shell = frame(caller, "Match the columns").lede(import.filename.clone());
    let state = if errors.is_empty() { StepState::Open } else { StepState::Problem };
    let steps = steps(&shell, Some(import.id), state);
    let sample = |index: usize| {
        let cells = preview
            .rows
            .iter()
            .filter_map(|row| row.get(index))
            .map(|cell| cell.trim())
            .filter(|cell| !cell.is_empty());
        cells.take(3).map(|cell| cell.chars().take(40).collect::<String>()).collect::<Vec<_>>().join(" · ")
    };
    let column = |(index, (name, key)): (usize, (&String, String))| Column {
        name: name.clone(),
        field: format!("column/{}", index + 1),
        target: plan.targets[index].to_string(),
        confidence: plan.confidence[index],
        sample: sample(index),
        custom: custom_choices(key, &plan.targets[index]),
        asked: plan.is_guessed(index) && plan.asks.get(index).is_some_and(Option::is_some),
    };
    let delimiter = match plan.delimiter {
        '\t' => "tabs",
        ';' => "semicolons",
        '|' => "bars",
        _ => "commas",
    };
    let layout = format!(
        "{}, cells apart by {delimiter}, {}",
        plan.encoding.label(),
        web::view::count(plan.headers.len(), "column")
    );
    let action = shell.at(&format!("imports/{}/columns", import.id));
    let keys = import::custom_keys(&plan.headers);
    let columns = plan.headers.iter().zip(keys).enumerate().map(column).collect();
    let questions = preview.questions.iter().map(|question| question.text.clone()).collect();
    let notes = preview.notes.clone();
    let said = || plan.everybody.as_ref().map(ToString::to_string).unwrap_or_default();
    let everybody = plan.may_refuse_all().then(said);
    ColumnsPage { shell, steps, errors, action, columns, targets: targets(), form, layout, notes, questions, everybody }
}

/// What any column can be: nothing, or a field.
fn targets() -> Vec<Choice> {
    let mut choices = vec![Choice::new("skip", "Leave out")];
    choices.extend(Field::ALL.iter().map(|field| Choice::new(field.word(), field.label())));
    choices
}

fn custom_choices(own: String, chosen: &Target) -> Vec<Choice> {
    let mut keys = vec![own];
    if let Target::Custom(key) = chosen
        && !keys.contains(key)
    {
        keys.push(key.clone());
    }
    let choice = |key| Choice::new(format!("custom_fields.{key}"), format!("Custom field: {key}"));
    keys.iter().map(choice).collect()
}

pub async fn save(
    State(app): State<App>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let import = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    let (mut options, form, wrong) = read_columns(&fields);
    let plan = import::plan_of(&import)?;
    if options.header.is_some_and(|header| header != plan.has_header)
        || options.first_line.is_some_and(|line| line != plan.first_line)
    {
        // other names, other columns: they are matched anew, and shown before anything else
        options.mapping.clear();
        let anew = import::save(&app, &caller.actor, (import.client_id, id), &options).await;
        let columns = Shell::new(&caller, "").at(&format!("imports/{id}/columns"));
        return match anew {
            Ok(_) => Ok(redirect(&columns)),
            Err(error) => Ok(redirect_with(&columns, &error.to_string())),
        };
    }
    let saved = match wrong {
        Some(error) => Err(error),
        None => import::save(&app, &caller.actor, (import.client_id, id), &options).await,
    };
    match saved {
        Ok(_) => Ok(redirect(&Shell::new(&caller, "").at(&format!("imports/{id}/preview")))),
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            let (mut plan, preview) = import::preview(&app, &caller.actor, (import.client_id, id)).await?;
            for (column, target) in &options.mapping {
                let index =
                    column.trim_start_matches('#').parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                if let Some(kept) = index.and_then(|index| plan.targets.get_mut(index)) {
                    *kept = target.clone();
                }
            }
            let page = columns_page(&caller, &import, (&plan, &preview), form, errors);
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// The form of the columns: `column/3` holds the target of the third.
fn read_columns(fields: &[(String, String)]) -> (ImportOptions, Chosen, Option<Error>) {
    let mut options = ImportOptions::default();
    let mut problems = kernel::Problems::new();
    let text = |name: &str| {
        fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let form = Chosen {
        list_name: text("list_name"),
        dedupe: text("dedupe"),
        on_duplicate: text("on_duplicate"),
        header: text("header"),
        first_line: text("first_line"),
    };
    for (field, value) in fields {
        let Some(number) = field.strip_prefix("column/") else { continue };
        if value.is_empty() {
            let what = format!("choose what column {number} is");
            let all = "choose whether those in this file may be written to";
            problems.invalid(field.clone(), if number == "everybody" { all.to_owned() } else { what });
            continue;
        }
        match value.parse::<Target>() {
            Ok(target) if number == "everybody" => options.mapping.push(("*".to_owned(), target)),
            Ok(target) => options.mapping.push((format!("#{number}"), target)),
            Err(problem) => drop(problems.invalid(field.clone(), problem)),
        }
    }
    options.header = match form.header.as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    if !form.first_line.is_empty() {
        match form.first_line.parse() {
            Ok(line) if line > 0 => options.first_line = Some(line),
            _ => drop(problems.invalid("first_line", "enter the number of a line")),
        }
    }
    problems.require("list_name", &form.list_name);
    options.list_name = some(&form.list_name);
    match (form.dedupe.parse(), form.on_duplicate.parse()) {
        (Ok(dedupe), Ok(on_duplicate)) => (options.dedupe, options.on_duplicate) = (Some(dedupe), Some(on_duplicate)),
        (Err(problem), _) => drop(problems.invalid("dedupe", problem)),
        (_, Err(problem)) => drop(problems.invalid("on_duplicate", problem)),
    }
    (options, form, problems.finish().err())
}
