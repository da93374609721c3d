//! Tools that a server describes so that they must not be used: they are left out, and not called
//! (MCP 2026-07-28, "Streamable HTTP", "Schema Extension").

use super::{Answer, Instance};
use crate::error::CallError;
use crate::json::{Splices, Value};
use crate::link::Link;
use crate::lists::{Item, ListKind, page};
use crate::message::{Kind, Message};

impl Instance {
    /// Takes all tools that it lists. Takes those out that must not be used, and says so in the log.
    pub(crate) fn learn_tools(&self, tools: &mut Vec<Item>) {
        self.learn(tools, true);
        tools.retain(|it| self.unusable(&it.key).is_none());
    }

    /// Returns a page of its tools without those that must not be used.
    pub(super) fn without_unusable_tools(&self, request: &Message, answer: Answer) -> Answer {
        let is_list = matches!(request.kind(), Kind::Request(it) if it == ListKind::Tools.method());
        let result = answer
            .message
            .result()
            .filter(|_| is_list && self.is_particular());
        let Some(result) = result else {
            return answer;
        };
        let mut tools = Vec::new();
        page(ListKind::Tools, result, &mut tools);
        self.learn(&tools, false);
        let start = answer.message.result_start();
        let list = Value::new(result).get(ListKind::Tools.member());
        let list = list.and_then(|it| Some((it.range(), it.elements().ok()?)));
        let Some((range, all)) = list else {
            return answer;
        };
        let is_usable = |tool: &&Value<'_>| {
            let name = tool.get(ListKind::Tools.key()).and_then(Value::as_str);
            name.is_none_or(|it| self.unusable(&it).is_none())
        };
        let kept: Vec<_> = all.iter().filter(is_usable).map(|it| it.text()).collect();
        if kept.len() == all.len() {
            return answer;
        }
        let mut splices = Splices::default();
        let range = start + range.start..start + range.end;
        splices.replace_range(range, format!("[{}]", kept.join(",")));
        let text = splices.apply(answer.message.text());
        answer.with_text(text)
    }

    /// Refuses a call to a tool that must not be used.
    pub(super) fn check_tool(&self, call: &Message, splices: &Splices) -> Result<(), CallError> {
        let is_call = matches!(call.kind(), Kind::Request(it) if it == "tools/call");
        if !is_call || !self.is_particular() {
            return Ok(());
        }
        let named = call.param(&["name"]);
        let original = named.map(|it| splices.replacement(it).map_or(it, Value::new));
        let tool = original.and_then(Value::as_str).unwrap_or_default();
        match self.unusable(&tool) {
            None => Ok(()),
            Some(problem) => Err(CallError::Unusable {
                server: self.server.clone(),
                tool: tool.into_owned(),
                problem,
            }),
        }
    }

    /// Whether it matters how its tools are described: over stdio, nothing of a call is repeated elsewhere.
    fn is_particular(&self) -> bool {
        matches!(&self.link, Link::Http(http) if http.is_modern())
    }

    fn learn(&self, tools: &[Item], are_all: bool) {
        if let Link::Http(http) = &self.link {
            let tools = tools.iter().map(|it| (&*it.key, &*it.text));
            for (tool, problem) in http.learn_tools(tools, are_all) {
                let text = format!("(left out the tool {tool}: {problem})");
                self.log.add(&text, None);
            }
        }
    }

    /// Returns why a tool must not be used, if that is so.
    fn unusable(&self, tool: &str) -> Option<String> {
        match &self.link {
            Link::Http(http) => http.unusable_tool(tool),
            Link::Child(_) => None,
        }
    }
}
