CREATE TABLE "rln_id_ranges" (
    "commitment" TEXT NOT NULL PRIMARY KEY,
    "first" INTEGER NOT NULL,
    "count" INTEGER NOT NULL,
    "floor_epoch" TEXT NOT NULL
);
