CREATE TABLE "chain_cursor" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "fingerprint" TEXT NOT NULL,
    "next_block" INTEGER NOT NULL
);

CREATE TABLE "chain_checkpoints" (
    "number" INTEGER NOT NULL PRIMARY KEY,
    "hash" TEXT NOT NULL,
    "timestamp" INTEGER NOT NULL
);

CREATE TABLE "chain_events" (
    "block_number" INTEGER NOT NULL,
    "log_index" INTEGER NOT NULL,
    "block_hash" TEXT NOT NULL,
    "timestamp" INTEGER NOT NULL,
    "tx_hash" TEXT NOT NULL,
    "contract" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "args" TEXT NOT NULL,
    PRIMARY KEY ("block_number", "log_index")
);

CREATE TABLE "transactions" (
    "key" TEXT NOT NULL PRIMARY KEY,
    "kind" TEXT NOT NULL,
    "sender" TEXT NOT NULL,
    "target" TEXT NOT NULL,
    "data" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "nonce" INTEGER NOT NULL,
    "gas" TEXT NOT NULL,
    "tx_hash" TEXT,
    "block_number" INTEGER,
    "gas_used" TEXT,
    "gas_price" TEXT,
    "failure" TEXT,
    "created_ms" BIGINT NOT NULL,
    "updated_ms" BIGINT NOT NULL
);

CREATE INDEX "transactions_status_idx" ON "transactions"("status");

CREATE TABLE "transaction_attempts" (
    "hash" TEXT NOT NULL PRIMARY KEY,
    "key" TEXT NOT NULL,
    "raw" TEXT NOT NULL,
    "max_fee" TEXT NOT NULL,
    "priority_fee" TEXT NOT NULL,
    "sent_ms" BIGINT NOT NULL
);

CREATE INDEX "transaction_attempts_key_idx" ON "transaction_attempts"("key");

CREATE TABLE "accounts" (
    "channel_id" TEXT NOT NULL PRIMARY KEY,
    "payer" TEXT NOT NULL,
    "payee" TEXT NOT NULL,
    "signer" TEXT NOT NULL,
    "salt" TEXT NOT NULL,
    "deposit" TEXT NOT NULL CHECK (length("deposit") = 39 AND "deposit" NOT GLOB '*[^0-9]*'),
    "settled" TEXT NOT NULL CHECK (length("settled") = 39 AND "settled" NOT GLOB '*[^0-9]*'),
    "status" TEXT NOT NULL,
    "close_at" INTEGER NOT NULL,
    "cumulative" TEXT NOT NULL CHECK (length("cumulative") = 39 AND "cumulative" NOT GLOB '*[^0-9]*'),
    "tick_anchor" TEXT NOT NULL,
    "tick_value" TEXT NOT NULL CHECK (length("tick_value") = 39 AND "tick_value" NOT GLOB '*[^0-9]*'),
    "signature" TEXT,
    "ticks" INTEGER NOT NULL,
    "tick_preimage" TEXT,
    "spent" TEXT NOT NULL CHECK (length("spent") = 39 AND "spent" NOT GLOB '*[^0-9]*'),
    "paid_ms" BIGINT,
    "updated_ms" BIGINT NOT NULL
);

CREATE INDEX "accounts_status_idx" ON "accounts"("status");
CREATE INDEX "accounts_payer_idx" ON "accounts"("payer");

CREATE TABLE "charges" (
    "account" TEXT NOT NULL,
    "request_id" TEXT NOT NULL,
    "service" TEXT NOT NULL,
    "price" TEXT NOT NULL CHECK (length("price") = 39 AND "price" NOT GLOB '*[^0-9]*'),
    "epoch" BIGINT NOT NULL,
    "created_ms" BIGINT NOT NULL,
    PRIMARY KEY ("account", "request_id")
);

CREATE INDEX "charges_created_ms_idx" ON "charges"("created_ms");

CREATE TABLE "redemptions" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "state" TEXT NOT NULL,
    "tx_hash" TEXT,
    "reason" TEXT,
    "created_ms" BIGINT NOT NULL,
    "updated_ms" BIGINT NOT NULL
);

CREATE INDEX "redemptions_state_idx" ON "redemptions"("state");

CREATE TABLE "settlements" (
    "redemption" TEXT NOT NULL,
    "channel_id" TEXT NOT NULL,
    "total" TEXT NOT NULL CHECK (length("total") = 39 AND "total" NOT GLOB '*[^0-9]*'),
    "amount" TEXT NOT NULL CHECK (length("amount") = 39 AND "amount" NOT GLOB '*[^0-9]*'),
    "status" TEXT NOT NULL,
    "reason" TEXT,
    PRIMARY KEY ("redemption", "channel_id")
);

CREATE INDEX "settlements_channel_id_idx" ON "settlements"("channel_id");

CREATE TABLE "slash_cases" (
    "commitment" TEXT NOT NULL PRIMARY KEY,
    "pubsub_topic" TEXT NOT NULL,
    "first" BLOB NOT NULL,
    "second" BLOB NOT NULL,
    "secret" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "nonce" TEXT,
    "commit_hash" TEXT,
    "commit_block" INTEGER,
    "reveal_tx" TEXT,
    "reward" TEXT,
    "reason" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "found_ms" BIGINT NOT NULL,
    "updated_ms" BIGINT NOT NULL
);

CREATE INDEX "slash_cases_state_idx" ON "slash_cases"("state");

CREATE TABLE "rln_message_ids" (
    "commitment" TEXT NOT NULL,
    "epoch" TEXT NOT NULL,
    "next_id" INTEGER NOT NULL,
    PRIMARY KEY ("commitment", "epoch")
);
