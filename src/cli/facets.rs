//! `thorax facets`: how many studies or patients have which value.

use clap::Args;
use serde::{Deserialize, Serialize};
use thorax_index::Facet;

use super::output;
use super::through::Opened;
use crate::error::Result;
use crate::search::facets::{Asked, Counted};
use crate::search::{Group, Target};

/// Count what a query and a filter let pass, by the values of fields: exact, of all studies, not of the first hits.
#[derive(Args, Serialize, Deserialize)]
#[command(after_help = EXAMPLES)]
pub struct Facets {
    /// A query: what it excludes or has in quotation marks narrows, other words don't.
    text: Option<String>,
    /// Only studies that pass, for example 'sex:F age:40..60 -finding:Edema'.
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// A field to count; again for several [default: source finding absent left right sex age view date].
    #[arg(long = "field", value_name = "FIELD")]
    fields: Vec<String>,
    /// Only studies with films (images) or with reports (reports).
    #[arg(long, value_name = "KIND")]
    to: Option<String>,
    /// At most so many values of a field, or about so many ranges of its numbers.
    #[arg(long, default_value_t = 10, value_name = "N")]
    top: usize,
    /// Count studies, or patients.
    #[arg(long, value_enum, default_value_t = Group::Study)]
    group: Group,
}

const EXAMPLES: &str = "\
Examples:
  thorax facets
  thorax facets --filter 'finding:\"Pleural Effusion\" age:60..' --group patient
  thorax facets '\"tension pneumothorax\"' --field sex --field age --json

A value is what a filter takes behind the colon: age:40..49, date:2019-03.";

impl Facets {
    /// Runs the command.
    ///
    /// # Errors
    /// See [`Engine::facets`](crate::search::Engine::facets).
    pub fn run_on(self, opened: &Opened) -> Result<()> {
        let to = self.to.as_deref().map(str::parse::<Target>).transpose()?;
        let asked = Asked {
            text: self.text,
            filter: self.filter,
            to,
            fields: self.fields,
            top: Some(self.top),
            group: self.group,
        };
        let counted = opened.with_engine(|engine| engine.facets(&asked))?;
        if opened.json {
            return output::json(&counted);
        }
        table(&counted, asked.group)
    }
}

fn table(counted: &Counted, group: Group) -> Result<()> {
    if let Some(warning) = &counted.warning {
        output::note(&format!("warning: {warning}"));
    }
    let of = match group {
        Group::Study => "studies",
        Group::Patient => "patients",
    };
    output::line(&format!("{} {of}", counted.total))?;
    counted.facets.iter().try_for_each(facet)
}

fn facet(facet: &Facet) -> Result<()> {
    let without = if facet.without > 0 { format!(", {} without", facet.without) } else { String::new() };
    output::line(&format!("{}: {} with a value{without}", facet.field, facet.with))?;
    for value in &facet.values {
        output::line(&format!("  {:>9}  {}", value.count, value.value))?;
    }
    if facet.others > 0 {
        output::line(&format!("  {:>9}  with other values only", facet.others))?;
    }
    Ok(())
}
