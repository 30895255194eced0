"""Tensors on Spark: files and their content (`binaryFile`), a pandas UDF, Parquet.

    python python/examples/on_spark.py INPUT OUT [--recipe dctnet-24]

INPUT is a folder or URI that all machines reach, `.../*` for those below it. Rows of OUT have a path, a tensor
(flat; its shape is the recipe's) and an error, which is empty for good rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pandas
from pyspark.sql import SparkSession
from pyspark.sql.functions import pandas_udf

import jpegdct
from jpegdct.ray import Extract


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("out")
    parser.add_argument("--recipe", default="dctnet-24")
    args = parser.parse_args()
    recipe = jpegdct.Recipe(args.recipe)
    assert recipe.shape, "rows of one length need a recipe of one shape"
    spark = SparkSession.builder.appName("jpegdct").getOrCreate()
    # Rows of a batch are in memory at once.
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "64")

    def tensors(batches: Iterator[tuple[pandas.Series, pandas.Series]]) -> Iterator[pandas.DataFrame]:
        # One extractor a task; Spark runs a task a processor, so one thread each. The class needs no Ray.
        extract = Extract(recipe, on_error="column")
        for paths, contents in batches:
            made = extract({"path": paths, "bytes": contents})
            flat = [tensor.ravel() for tensor in made["tensor"]]
            yield pandas.DataFrame({"tensor": flat, "error": made["error"]})

    make = pandas_udf(tensors, "tensor array<float>, error string")
    files = spark.read.format("binaryFile").load(args.input)
    made = files.select("path", make("path", "content").alias("made")).select("path", "made.*")
    made.write.parquet(args.out)

    written = spark.read.parquet(args.out)
    failed = written.where("error != ''").select("path", "error").collect()
    for row in failed:
        print(f"{row.path}: {row.error}")
    print(f"{written.count() - len(failed)} tensors of {recipe.shape}, {len(failed)} failed")


if __name__ == "__main__":
    main()
