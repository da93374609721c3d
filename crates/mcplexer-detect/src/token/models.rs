//! Keys of models, and of search and browsing for them.

use crate::shape::Part::{Pad, Random, Run};
use crate::shape::Set::{Alnum, Base64, Hex, Lower, Url, Uuid, Word};
use crate::shape::{Shape, shape};

pub(super) const SHAPES: &[Shape] = &[
    // Models.
    shape("Anthropic key", &["sk-ant-"], &[Run(Url, 40, 200)]),
    shape("OpenRouter key", &["sk-or-v1-"], &[Run(Hex, 64, 64)]),
    shape("Langfuse key", &["sk-lf-"], &[Run(Uuid, 36, 36)]),
    shape(
        "OpenAI key",
        &["sk-proj-", "sk-svcacct-", "sk-admin-"],
        &[Random(Url, 40, 200)],
    ),
    shape("SiliconFlow key", &["sk-"], &[Run(Lower, 48, 48)]),
    shape("OpenAI key", &["sk-"], &[Random(Alnum, 32, 64)]),
    shape("secret key", &["sk-"], &[Random(Url, 20, 200)]),
    shape("Groq key", &["gsk_"], &[Run(Alnum, 48, 60)]),
    shape("Perplexity key", &["pplx-"], &[Run(Alnum, 40, 64)]),
    shape("xAI key", &["xai-"], &[Run(Word, 70, 90)]),
    shape("Hugging Face token", &["hf_"], &[Random(Alnum, 30, 40)]),
    shape(
        "Hugging Face organization token",
        &["api_org_"],
        &[Random(Alnum, 34, 34)],
    ),
    shape("Replicate token", &["r8_"], &[Random(Url, 37, 40)]),
    shape("NVIDIA key", &["nvapi-"], &[Run(Url, 60, 72)]),
    shape("Jina key", &["jina_"], &[Random(Url, 40, 80)]),
    shape("Voyage key", &["pa-"], &[Random(Url, 40, 60)]),
    shape("ElevenLabs key", &["sk_"], &[Random(Hex, 48, 48)]),
    shape("LangSmith key", &["lsv2_"], &[Run(Word, 40, 60)]),
    shape("E2B key", &["e2b_"], &[Run(Hex, 40, 48)]),
    shape("Pinecone key", &["pcsk_"], &[Run(Word, 60, 80)]),
    shape("Fireworks key", &["fw_"], &[Random(Alnum, 22, 24)]),
    shape("Cerebras key", &["csk-"], &[Random(Alnum, 48, 52)]),
    shape(
        "AWS Bedrock key",
        &["ABSK"],
        &[Random(Base64, 100, 270), Pad],
    ),
    // Search and browsing for agents.
    shape("Brave Search key", &["BSA"], &[Random(Url, 24, 32)]),
    shape("Tavily key", &["tvly-"], &[Random(Url, 28, 64)]),
    shape("Firecrawl key", &["fc-"], &[Random(Hex, 32, 32)]),
    shape("Browserbase key", &["bb_live_"], &[Random(Url, 20, 48)]),
    shape("Apify token", &["apify_api_"], &[Run(Alnum, 30, 44)]),
    shape("Context7 key", &["ctx7sk-"], &[Run(Uuid, 36, 36)]),
    shape("Composio key", &["ak_"], &[Random(Url, 20, 40)]),
];
