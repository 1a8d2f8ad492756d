// The pictures beside the density that networks draw: what each one is, in words.

import { count } from "./numbers.js";
import { OwnPicture } from "./own_picture.js";

/** Drawn over what no one has measured. */
export const MARK = "PREDICTION · not measured";

const perArea = (tiles, level) => tiles.perSquareMicrometre(level);
const mean = (_, level) => 1 / 4 ** level; // coarser levels hold sums

/** Make them anew: by name, as in the header `layer`. `isPredicted`: it must bear the mark. */
export function ownPictures() {
  return {
    image: new OwnPicture({ title: "molecules, as drawn, per µm²", unit: "molecules/µm² as drawn", scale: perArea, words: ofImage }),
    prediction: new OwnPicture({
      title: "predicted localizations per µm²", unit: "localizations/µm² predicted", scale: perArea, words: ofPrediction, isPredicted: true,
    }),
    "error-of-prediction": new OwnPicture({
      title: "error, σ of the sum of frames", unit: "σ unexplained", scale: mean, words: ofError, isPredicted: true,
    }),
  };
}

function ofImage(said) {
  if (!said) return "Image layer: no frame yet";
  const { model, seen, left_out } = said;
  return `${model}: ${count(seen)} frames${left_out ? `, ${count(left_out)} left out` : ""}`;
}

function ofPrediction(said) {
  if (!said) return "Prediction: nothing yet";
  return `As ${said.structure}, from ${count(said.localizations)} localizations`;
}

function ofError(said) {
  if (!said) return "Its error: nothing yet";
  if (said.error === null) return "Its error: too few localizations";
  if (said.usual_error === null) return `Its error: ${said.error.toFixed(2)}`;
  const parts = `${count(said.doubtful_tiles)} of ${count(said.tiles)} parts above`;
  return `Its error: ${said.error.toFixed(2)}, usual < ${said.usual_error.toFixed(2)}: ${parts}`;
}
