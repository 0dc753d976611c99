"""One model's score by what it wrote beside its score by likelihood, with the answers that were not read."""

from bioui.components.view import View

TEMPLATE = """
{{#if value.rows}}<section class="result-ways"><h2>Two ways of asking</h2>
<p class="field-help">Likelihood takes the option that the model finds most likely and cannot fail to be
  read; it tends to score chat models lower than what they write. Believe neither alone.</p>
<div class="table-scroll"><table class="table"><caption class="sr-only">Scores by way of asking</caption>
  <thead><tr><th scope="col">Model</th><th scope="col" class="col-num">By what it wrote</th>
    <th scope="col" class="col-num">Answers not read</th><th scope="col" class="col-num">By likelihood</th>
  </tr></thead><tbody>{{#each value.rows}}<tr>
    <td><span class="side-name hue-{{this.hue}}"><span class="side-mark" aria-hidden="true"></span>
      {{this.name}}</span></td><td class="col-num">{{this.generation}}</td>
    <td class="col-num">{{this.failures}}</td><td class="col-num">{{this.likelihood}}</td>
  </tr>{{/each}}</tbody></table></div></section>{{/if}}
"""
NO_WAYS: dict = {"rows": []}


def ways_view() -> View:
    return View(TEMPLATE, NO_WAYS, elem_classes="result-ways-view")
