//! `flowtail filter`: a filter checked, spelled, and written in another language. The text goes to standard output, what it does not say to
//! standard error.

use std::io::{self, Write as _};
use std::sync::Arc;

use crate::cli::{Common, To, Translate};
use crate::filter::translate::{Context, Refusal, Shape, Target, Translation, insights, translate};
use crate::filter::{Filter, Stage};
use crate::headless::Outcome;
use crate::record::{Field, Format};
use crate::start::StartError;

/// Runs the command.
///
/// # Errors
/// The text is no filter, or cannot be written in that language.
pub fn run(wanted: &Translate, common: &Common) -> Result<Outcome, String> {
    let stage = if wanted.sessions { Stage::Sessions } else { Stage::Flows };
    let filter = Filter::parse(&wanted.expr, stage).map_err(|error| {
        StartError::Filter { text: wanted.expr.clone(), error }.to_string().replacen("--filter: ", "", 1)
    })?;
    for warning in filter.warnings() {
        say(&warning.message);
    }
    let format =
        common.format.as_deref().map(Format::parse).transpose().map_err(|error| format!("--format: {error}"))?;
    let formats: Vec<Arc<Format>> = format.map(Arc::new).into_iter().collect();
    let context = Context {
        formats: &formats,
        now: jiff::Timestamp::now().as_second(),
        group: wanted.group.as_deref(),
        region: wanted.region.as_deref(),
        span: None,
    };
    let translation = write(&filter, wanted, &context)?;
    if wanted.exact && !translation.exact {
        return Err(format!("not exact: {}", translation.notes.join(" ")));
    }
    translation.notes.iter().for_each(|note| say(note));
    match writeln!(io::stdout().lock(), "{}", translation.text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
        _ => Ok(Outcome::Done),
    }
}

fn write(filter: &Filter, wanted: &Translate, context: &Context<'_>) -> Result<Translation, String> {
    let fail = |refusal: Refusal| refusal.to_string();
    let target = match wanted.to {
        To::Text => return Ok(Translation { text: filter.to_string(), exact: true, notes: Vec::new() }),
        To::Insights => {
            let by = wanted.by.iter().map(|name| {
                Field::named(name.trim())
                    .ok_or_else(|| format!("--by: no field is called '{name}'; `flowtail fields` lists them"))
            });
            let by: Vec<Field> = by.collect::<Result<_, _>>()?;
            let limit = wanted.limit;
            let shape = if by.is_empty() { Shape::Rows { limit } } else { Shape::Groups { by, limit } };
            return insights(Some(filter), context, &shape).map_err(fail);
        }
        To::Aws => Target::AwsCli,
        To::Athena => Target::Athena,
        To::Tcpdump => Target::Tcpdump,
        To::Wireshark => Target::Wireshark,
    };
    translate(Some(filter), target, context).map_err(fail)
}

/// A remark for the person; nobody there to read it is no failure.
fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "note: {text}");
}
