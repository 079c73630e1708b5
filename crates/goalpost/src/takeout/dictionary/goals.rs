//! Goals and what hangs on them.

use super::Kind::{Day, Flag, Instant, Int, Real, Text, Word};
use super::{Field, ORIGIN, Part, REVISION, field};

/// The goal that something hangs on.
const GOAL: Field = field("goalId", "goal", Int, "The goal").to("goal");
/// A place in a list of a goal.
const POSITION: Field = field("position", "position", Int, "The place in the goal's list, from 0");

pub(super) static GOALS: Part = Part {
    table: "goal",
    name: "goals",
    about: "Objectives, key results and initiatives",
    fields: &[
        field("id", "id", Int, "The number that exports print"),
        field(
            "objectType",
            "object_type",
            Word(&["objective", "keyResult", "initiative"]),
            "objective, keyResult or initiative",
        ),
        field("typeLabel", "type_label", Text, "The organization's own word for it"),
        field("title", "title", Text, "What it is called"),
        field("description", "description", Text, "More about it"),
        field(
            "status",
            "status",
            Text,
            "Not Started, On Track, Behind, At Risk, Closed, Postponed and others",
        ),
        field("progress", "progress", Real, "The metric's value, or percent where there is no metric"),
        field(
            "progressPercent",
            "progress_percent",
            Real,
            "The place between start (0) and target (100), not clamped",
        ),
        field("score", "score", Real, "What it was worth, from 0 to 1"),
        field("periodId", "period", Int, "Its time period").to("period"),
        field("startDate", "start_date", Day, "Its first day"),
        field("endDate", "end_date", Day, "The day by which it is due"),
        field("creatorId", "creator", Int, "The person who made it").to("person"),
        field("delegateId", "delegate", Int, "The person who acts for its owner").to("person"),
        field("createdDateTime", "created_at", Instant, "When it was made"),
        field("lastUpdatedDateTime", "updated_at", Instant, "When it was last changed in Goalpost"),
        field("lastCheckInDate", "last_checkin_date", Day, "The day of its latest check-in"),
        field("checkInCount", "checkin_count", Int, "How many check-ins it has"),
        field("goalType", "goal_type", Text, "Aspirational or Committed"),
        field("outcomeType", "outcome_type", Text, "Percentage or Metric"),
        field("metricName", "metric_name", Text, "What is measured"),
        field("metricUnit", "metric_unit", Text, "In which unit"),
        field("metricStart", "metric_start", Real, "The value that counts as 0 percent"),
        field("metricTarget", "metric_target", Real, "The value that counts as 100 percent"),
        field(
            "targetType",
            "target_type",
            Text,
            "reach, increaseFrom, decreaseFrom, stayAbove, stayBelow or baseline",
        ),
        field("riskThreshold", "risk_threshold", Real, "Beyond it a control metric is at risk"),
        field("progressMode", "progress_mode", Text, "Where its progress comes from"),
        field("statusMode", "status_mode", Text, "Where its status comes from"),
        field(
            "newChildrenContribute",
            "new_children_contribute",
            Flag,
            "Whether goals that are aligned to it from now on count; null: they do",
        ),
        field("dataSource", "data_source", Text, "The program that updates it"),
        field("isPhased", "phased", Flag, "Whether it has targets on the way"),
        field("phasedInterval", "phased_interval", Text, "How these are spaced"),
        field("priority", "priority", Int, "Its place among others"),
        field("endingNote", "ending_note", Text, "What was said when it was closed or put off"),
        field("isRestricted", "restricted", Flag, "Whether only the people around it see it"),
        field("permissions", "permissions", Text, "The permissions of an imported file as they stood"),
        ORIGIN,
        REVISION,
    ],
    folds: &[("title_fold", "title")],
    has_history: true,
};

/// A list of people on goals.
macro_rules! people {
    ($table:literal, $name:literal, $about:literal) => {
        Part {
            table: $table,
            name: $name,
            about: $about,
            fields: &[GOAL, POSITION, field("personId", "person", Int, "The person").to("person"), REVISION],
            folds: &[],
            has_history: true,
        }
    };
}

pub(super) static GOAL_OWNERS: Part = people!("goal_owner", "goal-owners", "Who owns a goal");

pub(super) static GOAL_CHECK_IN_OWNERS: Part =
    people!("goal_checkin_owner", "goal-check-in-owners", "Who checks in on a goal");

pub(super) static GOAL_VIEWERS: Part =
    people!("goal_viewer", "goal-viewers", "Who else sees a goal if it is restricted");

pub(super) static GOAL_TEAMS: Part = Part {
    table: "goal_team",
    name: "goal-teams",
    about: "Teams that share a goal",
    fields: &[GOAL, POSITION, field("teamId", "team", Int, "The team").to("team"), REVISION],
    folds: &[],
    has_history: true,
};

pub(super) static GOAL_TAGS: Part = Part {
    table: "goal_tag",
    name: "goal-tags",
    about: "The tags of a goal",
    fields: &[GOAL, POSITION, field("tagId", "tag", Int, "The tag").to("tag"), REVISION],
    folds: &[],
    has_history: true,
};

pub(super) static ALIGNMENTS: Part = Part {
    table: "goal_parent",
    name: "alignments",
    about: "Which goal contributes to which, and how much",
    fields: &[
        GOAL,
        POSITION,
        field("parentId", "parent", Int, "The goal that it contributes to").to("goal"),
        field("weight", "weight", Real, "What it counts for there, percent; null: no file said"),
        field("isFixed", "fixed", Flag, "Whether a person set that, so that it is no share of the rest"),
        REVISION,
    ],
    folds: &[],
    has_history: true,
};

pub(super) static PHASED_TARGETS: Part = Part {
    table: "goal_phased_target",
    name: "phased-targets",
    about: "Targets of a goal on the way",
    fields: &[
        GOAL,
        POSITION,
        field("value", "value", Real, "The metric's value, or percent"),
        field("dueDate", "due_date", Day, "By when"),
        REVISION,
    ],
    folds: &[],
    has_history: true,
};

pub(super) static TASKS: Part = Part {
    table: "task",
    name: "tasks",
    about: "Steps of initiatives",
    fields: &[
        GOAL,
        POSITION,
        field("id", "id", Int, "Its number"),
        field("name", "name", Text, "What is to be done"),
        field("status", "status", Text, "Complete, Incomplete or Unknown"),
        field("dueDate", "due_date", Day, "By when"),
        field("ownerId", "owner", Int, "The person who does it").to("person"),
        REVISION,
    ],
    folds: &[],
    has_history: true,
};

pub(super) static CHECK_INS: Part = Part {
    table: "checkin",
    name: "check-ins",
    about: "What was said of goals, and when",
    fields: &[
        GOAL,
        field("id", "id", Int, "Its number"),
        field("asOfDateTime", "as_of_at", Instant, "The moment that it speaks of"),
        field("recordedDateTime", "recorded_at", Instant, "When it was written down"),
        field("ownerId", "owner", Int, "The person who said it").to("person"),
        field("status", "status", Text, "How it went"),
        field("value", "value", Real, "The metric's value, or percent"),
        field("metricName", "metric_name", Text, "What was measured"),
        field("note", "note", Text, "Anything else"),
        field("noteHtml", "note_html", Text, "The same with its marks"),
        REVISION,
    ],
    folds: &[],
    has_history: true,
};

pub(super) static COMMENTS: Part = Part {
    table: "comment",
    name: "comments",
    about: "What was written below goals",
    fields: &[
        GOAL,
        field("id", "id", Int, "Its number"),
        field("authorId", "author", Int, "The person who wrote it").to("person"),
        field("createdDateTime", "created_at", Instant, "When it was written"),
        field("text", "text", Text, "What it says"),
        REVISION,
    ],
    folds: &[],
    has_history: true,
};

pub(super) static IMPORTED_VALUES: Part = Part {
    table: "goal_imported_value",
    name: "imported-values",
    about: "What the last import brought for fields of goals that were changed since, for the next import",
    fields: &[
        GOAL,
        field("field", "field", Text, "The field"),
        field("value", "value", Text, "What the file said"),
    ],
    folds: &[],
    has_history: false,
};
