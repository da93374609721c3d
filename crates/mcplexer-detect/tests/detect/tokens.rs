//! Made-up tokens of the known kinds.
//!
//! They are generated when the tests run, so that this file contains none.

/// Kinds of tokens and their forms, as their issuers and gitleaks or trufflehog describe them: `{a36}`
/// stands for 36 characters of the alphabet `a`.
pub(crate) const TOKENS: &[(&str, &str)] = &[
    ("GitHub token (ghp_…)", "ghp_{a36}"),
    ("GitHub token (gho_…)", "gho_{a36}"),
    ("GitHub token (ghu_…)", "ghu_{a36}"),
    ("GitHub token (ghs_…)", "ghs_{a36}"),
    ("GitHub token (ghr_…)", "ghr_{a36}"),
    ("GitHub token (github_pat_…)", "github_pat_{a22}_{a59}"),
    ("GitLab token (glpat-…)", "glpat-{r20}"),
    ("GitLab token (glpat-…)", "glpat-{r27}.01.{l9}"),
    ("GitLab deploy token (gldt-…)", "gldt-{r20}"),
    ("GitLab runner token (glrt-…)", "glrt-{r20}"),
    ("GitLab trigger token (glptt-…)", "glptt-{h40}"),
    ("Bitbucket app password (ATBB…)", "ATBB{a32}"),
    ("Atlassian token (ATATT3…)", "ATATT3{r170}={u8}"),
    ("Sourcegraph token (sgp_…)", "sgp_{h16}_{h40}"),
    ("Anthropic key (sk-ant-…)", "sk-ant-api03-{r93}AA"),
    ("Anthropic key (sk-ant-…)", "sk-ant-oat01-{r93}AA"),
    ("OpenAI key (sk-proj-…)", "sk-proj-{r74}T3BlbkFJ{r74}"),
    ("OpenAI key (sk-svcacct-…)", "sk-svcacct-{r58}T3BlbkFJ{r58}"),
    ("OpenAI key (sk-…)", "sk-{a20}T3BlbkFJ{a20}"),
    ("OpenAI key (sk-…)", "sk-{h32}"),
    ("OpenRouter key (sk-or-v1-…)", "sk-or-v1-{h64}"),
    ("Langfuse key (sk-lf-…)", "sk-lf-{h8}-{h4}-{h4}-{h4}-{h12}"),
    ("Groq key (gsk_…)", "gsk_{a52}"),
    ("Perplexity key (pplx-…)", "pplx-{a48}"),
    ("xAI key (xai-…)", "xai-{a80}"),
    ("Hugging Face token (hf_…)", "hf_{a34}"),
    ("Replicate token (r8_…)", "r8_{a37}"),
    ("NVIDIA key (nvapi-…)", "nvapi-{r64}"),
    ("Jina key (jina_…)", "jina_{h32}{a28}"),
    ("Voyage key (pa-…)", "pa-{r43}"),
    ("ElevenLabs key (sk_…)", "sk_{h48}"),
    ("LangSmith key (lsv2_…)", "lsv2_pt_{h32}_{h10}"),
    ("E2B key (e2b_…)", "e2b_{h40}"),
    ("Pinecone key (pcsk_…)", "pcsk_{a6}_{a63}"),
    ("AWS Bedrock key (ABSK…)", "ABSK{a120}="),
    ("Brave Search key (BSA…)", "BSA{r28}"),
    ("Tavily key (tvly-…)", "tvly-dev-{a32}"),
    ("Firecrawl key (fc-…)", "fc-{h32}"),
    ("Apify token (apify_api_…)", "apify_api_{a36}"),
    (
        "Context7 key (ctx7sk-…)",
        "ctx7sk-{h8}-{h4}-{h4}-{h4}-{h12}",
    ),
    ("AWS access key (AKIA…)", "AKIA{b16}"),
    ("AWS access key (ASIA…)", "ASIA{b16}"),
    ("Google API key (AIza…)", "AIzaSy{r33}"),
    ("Google client secret (GOCSPX-…)", "GOCSPX-{r28}"),
    ("Google access token (ya29.…)", "ya29.{r160}"),
    ("Azure client secret", "{a3}8Q~{r34}"),
    ("Alibaba access key (LTAI…)", "LTAI{a20}"),
    ("DigitalOcean token (dop_v1_…)", "dop_v1_{h64}"),
    ("Cloudflare Origin CA key (v1.0-…)", "v1.0-{h24}-{h146}"),
    ("Cloudflare token (cfut_…)", "cfut_{a40}{h8}"),
    ("Heroku key (HRKU-…)", "HRKU-AA{r58}"),
    ("Netlify token (nfp_…)", "nfp_{a36}"),
    ("Vercel token (vcp_…)", "vcp_{a56}"),
    ("Fly.io token (fo1_…)", "fo1_{r43}"),
    ("Fly.io token (fm2_…)", "fm2_{a300}="),
    ("Scaleway access key (SCW…)", "SCW{u17}"),
    ("Tailscale key (tskey-…)", "tskey-auth-{a12}-{a32}"),
    ("OpenShift token (sha256~…)", "sha256~{r43}"),
    ("Supabase token (sbp_…)", "sbp_{h40}"),
    ("Supabase secret key (sb_secret_…)", "sb_secret_{r31}"),
    ("PlanetScale token (pscale_tkn_…)", "pscale_tkn_{r43}"),
    ("PlanetScale password (pscale_pw_…)", "pscale_pw_{r43}"),
    ("Neon key (napi_…)", "napi_{l64}"),
    ("Databricks token (dapi…)", "dapi{h32}"),
    ("Airtable token (pat…)", "pat{a14}.{h64}"),
    ("npm token (npm_…)", "npm_{a36}"),
    ("PyPI token (pypi-…)", "pypi-AgEIcHlwaS5vcmc{r150}"),
    ("crates.io token (cio…)", "cio{a32}"),
    ("RubyGems key (rubygems_…)", "rubygems_{h48}"),
    ("NuGet key (oy2…)", "oy2{l43}"),
    ("JFrog key (AKCp…)", "AKCp{a69}"),
    ("Docker Hub token (dckr_pat_…)", "dckr_pat_{r27}"),
    ("Buildkite token (bkua_…)", "bkua_{l40}"),
    ("CircleCI token (CCIPAT_…)", "CCIPAT_{a22}_{h40}"),
    ("SonarQube token (squ_…)", "squ_{h40}"),
    ("Terraform Cloud token", "{a14}.atlasv1.{r67}"),
    ("Pulumi token (pul-…)", "pul-{h40}"),
    ("Prefect key (pnu_…)", "pnu_{a36}"),
    ("Slack token (xoxb-…)", "xoxb-{d12}-{d13}-{a24}"),
    ("Slack token (xoxp-…)", "xoxp-{d12}-{d12}-{d12}-{h32}"),
    ("Slack app token (xapp-…)", "xapp-1-A{u10}-{d13}-{h64}"),
    (
        "Slack webhook (hooks.slack.com/services/…)",
        "hooks.slack.com/services/T{u8}/B{u10}/{a24}",
    ),
    (
        "Discord webhook (discord.com/api/webhooks/…)",
        "discord.com/api/webhooks/{d18}/{r68}",
    ),
    ("Discord bot token (M…)", "MTA{a21}.{r6}.{r38}"),
    ("Telegram bot token", "{d10}:AA{r33}"),
    (
        "Zapier webhook (hooks.zapier.com/hooks/catch/…)",
        "hooks.zapier.com/hooks/catch/{d8}/{l7}",
    ),
    ("SendGrid key (SG.…)", "SG.{r22}.{r43}"),
    ("Mailgun key (key-…)", "key-{h32}"),
    ("Mailchimp key", "{h32}-us12"),
    ("Brevo key (xkeysib-…)", "xkeysib-{h64}-{a16}"),
    ("Resend key (re_…)", "re_{a8}_{a24}"),
    ("Twilio key (SK…)", "SK{h32}"),
    ("Linear key (lin_api_…)", "lin_api_{a40}"),
    ("Notion token (ntn_…)", "ntn_{d11}{a35}"),
    ("Notion token (secret_…)", "secret_{a43}"),
    ("Figma token (figd_…)", "figd_{r40}"),
    ("Asana token (1/…)", "1/{d16}:{h32}"),
    (
        "HubSpot token (pat-na1-…)",
        "pat-na1-{h8}-{h4}-{h4}-{h4}-{h12}",
    ),
    ("ClickUp token (pk_…)", "pk_{d8}_{u32}"),
    ("Postman key (PMAK-…)", "PMAK-{h24}-{h34}"),
    ("Contentful token (CFPAT-…)", "CFPAT-{r43}"),
    ("Intercom token (dG9rO…)", "dG9rO{a54}="),
    ("Mapbox token (sk.eyJ…)", "sk.eyJ1Ijoi{a50}.{r22}"),
    ("Sentry token (sntrys_…)", "sntrys_eyJpYXQiO{a90}_{a43}"),
    ("Sentry token (sntryu_…)", "sntryu_{h64}"),
    ("Grafana token (glsa_…)", "glsa_{a32}_{h8}"),
    ("Grafana Cloud token (glc_…)", "glc_eyJv{a80}="),
    ("New Relic key (NRAK-…)", "NRAK-{u27}"),
    ("LaunchDarkly key (sdk-…)", "sdk-{h8}-{h4}-{h4}-{h4}-{h12}"),
    ("LaunchDarkly key (api-…)", "api-{h8}-{h4}-{h4}-{h4}-{h12}"),
    ("Dynatrace token (dt0c01.…)", "dt0c01.{u24}.{u64}"),
    ("PostHog key (phx_…)", "phx_{a43}"),
    ("Stripe key (sk_live_…)", "sk_live_{a24}"),
    ("Stripe key (sk_test_…)", "sk_test_{a99}"),
    ("Stripe key (rk_live_…)", "rk_live_{a24}"),
    ("Stripe webhook secret (whsec_…)", "whsec_{a32}"),
    ("Shopify token (shpat_…)", "shpat_{h32}"),
    ("Shopify secret (shpss_…)", "shpss_{h32}"),
    ("Square token (EAAA…)", "EAAA{r60}"),
    ("Square token (sq0atp-…)", "sq0atp-{r22}"),
    (
        "PayPal token (access_token$…)",
        "access_token$production${l16}${h32}",
    ),
    ("Facebook token (EAA…)", "EAAC{a160}"),
    ("Vault token (hvs.…)", "hvs.{r95}"),
    ("Vault token (hvb.…)", "hvb.{r150}"),
    ("Doppler token (dp.pt.…)", "dp.pt.{a43}"),
    ("Doppler token (dp.st.…)", "dp.st.prd.{a43}"),
    ("SiliconFlow key (sk-…)", "sk-{l48}"),
    (
        "Bitwarden token (0.…)",
        "0.{h8}-{h4}-{h4}-{h4}-{h12}.{a30}:{a22}==",
    ),
    ("1Password token (ops_…)", "ops_eyJ{a400}"),
    (
        "1Password secret key (A3-…)",
        "A3-{u6}-{u6}-{u5}-{u5}-{u5}-{u5}",
    ),
    ("age identity (AGE-SECRET-KEY-1…)", "AGE-SECRET-KEY-1{e58}"),
    (
        "JSON Web Token (eyJ…)",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIi{a60}.{r43}",
    ),
    (
        "private key (-----BEGIN RSA PRIVATE KEY-----…)",
        "-----BEGIN RSA PRIVATE KEY-----\n{a64}\n{a64}==\n-----END RSA PRIVATE KEY-----",
    ),
    (
        "private key (-----BEGIN PRIVATE KEY-----…)",
        "-----BEGIN PRIVATE KEY-----\\n{a64}\\n-----END PRIVATE KEY-----",
    ),
    (
        "SSH private key (-----BEGIN OPENSSH PRIVATE KEY-----…)",
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{a70}\n-----END OPENSSH PRIVATE KEY-----",
    ),
];

/// Generates a token of a form, the same for the same seed.
pub(crate) fn token(form: &str, seed: u64) -> String {
    let mut made = String::new();
    let mut pieces = form.split('{');
    made.push_str(pieces.next().unwrap());
    for (piece, at) in pieces.zip(0..) {
        let (random, text) = piece.split_once('}').unwrap();
        let (alphabet, length) = random.split_at(1);
        made.push_str(&random_text(
            alphabet,
            length.parse().unwrap(),
            seed + 1000 * at,
        ));
        made.push_str(text);
    }
    made
}

/// Generates random characters that begin and end with a letter or digit.
pub(crate) fn random_text(alphabet: &str, length: usize, mut seed: u64) -> String {
    let alphabet: String = match alphabet {
        "d" => ('0'..='9').collect(),
        "h" => ('0'..='9').chain('a'..='f').collect(),
        "l" => ('0'..='9').chain('a'..='z').collect(),
        "u" => ('0'..='9').chain('A'..='Z').collect(),
        // Base32 and Bech32.
        "b" => ('2'..='7').chain('A'..='Z').collect(),
        "e" => "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L".to_owned(),
        "a" => ('0'..='9').chain('A'..='Z').chain('a'..='z').collect(),
        // Base64 for URLs.
        "r" => ('0'..='9')
            .chain('A'..='Z')
            .chain('a'..='z')
            .chain(['_', '-'])
            .collect(),
        _ => unreachable!("{alphabet}"),
    };
    let mut next = || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap()
    };
    let plain = alphabet.trim_end_matches(['_', '-']);
    let character = |at| {
        let alphabet = if at == 0 || at + 1 == length {
            plain
        } else {
            &alphabet
        };
        char::from(alphabet.as_bytes()[next() % alphabet.len()])
    };
    (0..length).map(character).collect()
}
