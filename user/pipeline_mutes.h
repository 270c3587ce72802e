/* SPDX-License-Identifier: Apache-2.0 */
/* The stage that asks whether somebody decided that a finding is not to be told. */
#pragma once

struct pk_finding;
struct pk_view;

/* Makes view->mutes. */
int pk_pipeline_mutes_new(struct pk_view *view);
void pk_pipeline_mutes_free(struct pk_view *view);
/*
 * Marks a finding that is suppressed, and counts it. It folds apart from findings that are not, so
 * that what is told and what is not are never one alert.
 */
void pk_pipeline_mutes_ask(struct pk_view *view, struct pk_finding *f);
/* Reads suppressions of agents before; ends those whose time is over, and tells it; keeps changes.
 */
void pk_pipeline_mutes_tick(struct pk_view *view);
/* Before the store ends: hits that were not kept yet. */
void pk_pipeline_mutes_end(struct pk_view *view);
