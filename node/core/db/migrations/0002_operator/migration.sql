CREATE TABLE "operator_actions" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "request" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "steps" TEXT NOT NULL,
    "effects" TEXT NOT NULL,
    "code" TEXT,
    "reason" TEXT,
    "created_ms" BIGINT NOT NULL,
    "updated_ms" BIGINT NOT NULL
);

CREATE UNIQUE INDEX "operator_actions_request_key" ON "operator_actions"("request");

CREATE INDEX "operator_actions_state_idx" ON "operator_actions"("state");

CREATE TABLE "api_answers" (
    "key" TEXT NOT NULL PRIMARY KEY,
    "fingerprint" TEXT NOT NULL,
    "status" INTEGER NOT NULL,
    "content_type" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "location" TEXT,
    "created_ms" BIGINT NOT NULL
);

CREATE INDEX "api_answers_created_ms_idx" ON "api_answers"("created_ms");
