//! The report of an import for one reader: what it says of goals that the reader does not see is left out. Whoever sent the
//! file knows what is in it, but not what it was compared with.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use goalpost_db::{Error, Result, Tx};
use serde_json::Value as Json;

use crate::goals::filter::Subject;
use crate::goals::visibility::{IS_HELD, visible_to};
use crate::table::{key_batches, keys_at_once};

/// Leave out what is not for this reader.
pub(super) fn keep_discreet(tx: &Tx<'_>, subject: &Subject, sent_it: bool, report: &mut Json) -> Result<()> {
    let goal_of = |list: &str, entry: &Json| match list {
        "conflicts" => entry["goal"].as_i64(),
        _ if entry["entity"] == "objectives" => entry["id"].as_i64(),
        _ => None,
    };
    let lists = ["conflicts", "missing", "asides"];
    let entries = |list: &str| report[list]["first"].as_array().into_iter().flatten();
    let named: BTreeSet<i64> =
        lists.iter().flat_map(|list| entries(list).filter_map(|entry| goal_of(list, entry))).collect();
    let seen = seen(tx, subject, &named.into_iter().collect::<Vec<_>>())?;
    for list in lists {
        for entry in report[list]["first"].as_array_mut().into_iter().flatten() {
            let goal = goal_of(list, entry);
            let of_directory =
                ["Users", "Teams", "TimePeriods", "Tags"].iter().any(|word| entry["entity"] == **word);
            match list {
                _ if goal.is_some_and(|goal| seen.contains(&goal)) || of_directory => {}
                "conflicts" => {
                    entry["here"] = Json::Null;
                    if !sent_it {
                        entry["file"] = Json::Null;
                    }
                }
                "missing" => entry["name"] = "".into(),
                _ if sent_it => {}
                _ => entry["value"] = "".into(),
            }
        }
    }
    if !sent_it {
        for entry in report["references"]["first"].as_array_mut().into_iter().flatten() {
            if entry["kind"] == "parent" {
                entry["name"] = "".into();
            }
        }
        // What was left out became no goal, which could say who sees it.
        for entry in report["leftOut"]["first"].as_array_mut().into_iter().flatten() {
            for said in ["title", "reason"] {
                entry[said] = "".into();
            }
        }
    }
    Ok(())
}

/// Those of the goals that the reader sees.
fn seen(tx: &Tx<'_>, subject: &Subject, goals: &[i64]) -> Result<BTreeSet<i64>> {
    let mut seen = BTreeSet::new();
    for mut params in key_batches(subject.organization, goals) {
        let condition = visible_to(subject, params.len() + 1);
        params.extend(condition.params);
        let sql = format!(
            "-- api::seen_goals
            select g.id from goal g where g.organization = ?1 and g.id in ({}) and {IS_HELD} and {}",
            keys_at_once(goals),
            condition.sql
        );
        tx.each(&sql, &params, |row| {
            seen.insert(row.int(0)?);
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
    }
    Ok(seen)
}
